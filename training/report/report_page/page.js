// ---- the page

const draw_block = {
  text: (block) => make("div", {class: "block"}, paragraphs(block.paragraphs)),
  formula: (block) => make("pre", {class: "block formula", tabindex: 0}, block.lines.join("\n")),
  table, matrices, color_maps, grid, findings, chart, pictures, comparison, picture_steps,
};
document.title = (data.progress ? `${Math.floor(data.progress.fraction * 100)} % · ` : "") + data.title;
const page = document.getElementById("page");
page.append(make("header", {}, make("h1", {}, data.title), make("div", {class: "summary"}, paragraphs(data.summary)),
  data.progress ? watch(data.progress) : null, data.figures.length ? pairs(data.figures, "figures") : null));
const titles = [...data.sections.map((section) => section.title), ...(data.settings.length ? ["Settings"] : [])];
if (titles.length > 4) {
  page.append(make("nav", {"aria-label": "Contents"},
    make("ul", {}, titles.map((title, i) => make("li", {}, make("a", {href: `#section-${i}`}, title))))));
}
const add_section = (title, i, ...children) => page.append(make("section", {id: `section-${i}`, "aria-labelledby": `title-${i}`},
  make("h2", {id: `title-${i}`}, title), children));
data.sections.forEach((section, i) => add_section(section.title, i,
  section.blocks.map((block) => draw_block[block.type](block, `${section.title} / ${block.title}`))));
if (data.settings.length) add_section("Settings", data.sections.length, pairs(data.settings, "settings"));
page.append(make("footer", {}, paragraphs(data.notes),
  make("p", {}, `Made by ${data.made_by}, ${new Date(data.updated * 1000).toLocaleString(undefined, {dateStyle: "long", timeStyle: "short"})}.`)));
