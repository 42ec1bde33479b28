// ---- a chart as a file of its own, for papers and slides

const drawn_properties = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "opacity",
  "font-family", "font-size", "font-weight", "font-variant-numeric"];

// A copy that looks the same without the page's style sheet.
function with_own_style(element) {
  const copy = element.cloneNode(true);
  const originals = [element, ...element.querySelectorAll("*")], copies = [copy, ...copy.querySelectorAll("*")];
  originals.forEach((original, i) => {
    const style = getComputedStyle(original);
    for (const property of drawn_properties) copies[i].setAttribute(property, style.getPropertyValue(property));
    copies[i].removeAttribute("class");
  });
  return copy;
}

// The chart with its title above and the names of its curves below, as the text of an SVG file.
function svg_file_of(title, plot, curves) {
  const [, , width, height] = plot.getAttribute("viewBox").split(" ").map(Number);
  const style = getComputedStyle(document.body), ink = style.color, quiet = getComputedStyle(plot).color;
  const font = getComputedStyle(plot.querySelector("text") ?? plot).fontFamily;
  const top = title ? 34 : 10, row = 22;
  const words = (x, y, size, text, weight) => make("text",
    {x, y, "font-family": font, "font-size": size, "font-weight": weight, fill: ink}, text);
  const inside = with_own_style(plot);
  for (const [name, value] of Object.entries({x: 0, y: top, width, height, style: "", tabindex: undefined})) {
    if (value === undefined || value === "") inside.removeAttribute(name); else inside.setAttribute(name, value);
  }
  for (const name of [...inside.getAttributeNames()].filter((each) => each === "role" || each.startsWith("aria-"))) inside.removeAttribute(name);
  const legend = [];
  let x = 12, y = top + height + row;
  for (const curve of curves) {
    const length = 50 + 8 * curve.name.length;
    if (x > 12 && x + length > width) { x = 12; y += row; }
    legend.push(make("line", {x1: x, x2: x + 28, y1: y - 4, y2: y - 4, stroke: curve.paint, "stroke-width": 2.5, "stroke-dasharray": curve.dash}),
      words(x + 34, y, "13px", curve.name, 400));
    x += length;
  }
  const all = make("svg", {xmlns: "http://www.w3.org/2000/svg", width, height: y + 10, viewBox: `0 0 ${width} ${y + 10}`, color: quiet},
    make("rect", {width: "100%", height: "100%", fill: style.backgroundColor}),
    title ? words(12, 22, "16px", title, 600) : null, inside, legend);
  return new XMLSerializer().serializeToString(all);
}

function save_file(name, blob) {
  const link = make("a", {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// The PNG of an SVG, with twice its pixels; resolves to a Blob.
async function png_of(svg) {
  const image = new Image();
  await new Promise((resolve, reject) => {
    image.onload = resolve;
    image.onerror = reject;
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  });
  const canvas = make("canvas", {width: 2 * image.width, height: 2 * image.height});
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const bytes = atob(canvas.toDataURL("image/png").split(",")[1]);
  return new Blob([Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))], {type: "image/png"});
}

// Two buttons that save the chart as it stands. `state` returns {title, plot, curves}, with curves of {name, paint, dash}.
function buttons_to_save(state) {
  const name = (title, ending) => (title || "chart").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") + ending;
  const button = (text, ending, blob_of) => make("button", {type: "button", class: "save", title: `Saves this chart as ${text}`,
    onclick: async () => {
      const {title, plot, curves} = state();
      save_file(name(title, ending), await blob_of(svg_file_of(title, plot, curves)));
    }}, text);
  return [button("SVG", ".svg", (svg) => new Blob([svg], {type: "image/svg+xml"})), button("PNG", ".png", png_of)];
}
