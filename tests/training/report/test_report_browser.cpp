// Reports in a browser: headless Chromium opens a page, a script inside it uses every control as a reader
// would, and says what is wrong. Without Chromium there is nothing to test, and ctest says "Skipped".
#include <iostream>

#include "browser.h"
#include "sample_report.h"
#include "support.h"

using namespace gesso;
using namespace gesso::testing;

namespace {

// At the end: use the page. `check` notes what does not hold.
const char* const kUse = R"(<script>
  const check = (holds, words) => { if (!holds) errors.push(words); };
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const key = (element, name) => element.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
  const main = async () => {
    // Texts are texts.
    check(document.querySelector("h1").textContent.startsWith("Night <" + "/script><script>"), "title");
    check(window.broken === undefined, "a script in a text ran");
    check(all("b").length === 0, "HTML in a text was read");
    check(all("h2").map((title) => title.textContent).join() === "Curves,Pictures,Settings", "sections");
    check(document.documentElement.scrollWidth <= innerWidth, "wider than the window");

    // Pictures are there, with words for those who do not see them.
    for (const image of all("img")) {
      check(image.complete && image.naturalWidth > 0 && image.naturalWidth === Number(image.getAttribute("width")), "picture");
      check(image.alt.length > 0, "picture without words");
    }

    // Curves: a gap divides one into two strokes, the values can be pointed at, curves can be switched off.
    const [loss, spread] = all(".chart");
    const plot = loss.querySelector(".plot"), frame = plot.getBoundingClientRect();
    const [smooth, log] = all("input", loss);
    const value = (i) => all(".legend .value", loss)[i].textContent;
    check(all(".curve", loss).length === 2 && all(".raw", loss).length === 2, "two curves, smoothed, over the single steps");
    check(all(".band", spread).length === 1 && all(".raw", spread).length === 0, "band");
    smooth.click();
    check(all(".raw", loss).length === 0, "smoothing off");
    check(all(".curve", loss)[1].getAttribute("d").split("M").length === 3, "gap at infinity");
    check(value(0) === "0.1", "last value: " + value(0));
    plot.dispatchEvent(new PointerEvent("pointermove", {clientX: frame.right - 12, clientY: frame.top + 50}));
    check(value(0) === "0.1" && all(".cross", loss).length === 1 && all(".dot", loss).length === 2, "pointing at the end");
    plot.dispatchEvent(new PointerEvent("pointerleave"));
    key(plot, "Home");
    check(value(0) === "10" && plot.getAttribute("aria-valuenow") === "1", "first value by key: " + value(0));
    key(plot, "ArrowRight");
    check(value(0) === "5" && plot.getAttribute("aria-valuetext").startsWith("step 2: total 5, style "), "next value by key");
    check(plot.querySelector(".tag").textContent === "total 5", "the first curve is read");
    key(plot, "ArrowDown");
    check(plot.querySelector(".tag").textContent === "style 2.909" && value(0) === "5", "the curve below, by key, at the same step");
    check(plot.getAttribute("aria-valuetext").startsWith("step 2: style 2.909, total 5"), "what is read comes first");
    check(all(".legend .read", loss).length === 1, "and is marked in the legend");
    // The curve that is nearest to the pointer is read, by its name; a finger that leaves does not take that away.
    const dots = all(".dot", loss).map((dot) => dot.getBoundingClientRect());
    for (const dot of dots) {
      plot.dispatchEvent(new PointerEvent("pointermove", {clientX: dot.x + dot.width / 2, clientY: dot.y + dot.height / 2 + 2}));
      const read = [...all(".dot", loss)].sort((a, b) => b.getAttribute("r") - a.getAttribute("r"))[0].getBoundingClientRect();
      check(Math.abs(read.y + read.height / 2 - dot.y - dot.height / 2) < 1 && plot.querySelector(".here").textContent === "step 2", "nearest curve");
    }
    plot.dispatchEvent(new PointerEvent("pointerleave", {pointerType: "touch"}));
    check(all(".cross", loss).length === 1, "a finger leaves what it read");
    plot.dispatchEvent(new PointerEvent("pointerleave"));
    check(all(".cross", loss).length === 0 && all(".tag", loss).length === 0, "pointer gone");
    const before = all(".curve", loss)[0].getAttribute("d");
    log.click();
    check(all(".curve", loss)[0].getAttribute("d") !== before, "log scale");
    check(all(".curve", loss)[1].getAttribute("d").split("M").length === 4, "gaps at infinity and at 0");
    const [first, second] = all(".legend button", loss);
    second.click();
    check(all(".curve", loss).length === 1 && second.getAttribute("aria-pressed") === "false", "curve off");
    first.click();
    check(plot.textContent.startsWith("No curve to show"), "all curves off");
    first.click(); second.click();
    check(all(".curve", loss).length === 2, "curves on");
    check(JSON.parse(sessionStorage.getItem("gesso " + location.pathname))["Curves / Loss"].log === true, "memory");
    loss.querySelector("details").open = true;

    // Smoothing: a wild last value does not bend the end, a straight line stays one, and nothing leaves its range.
    const line = Array.from({length: 120}, (_, i) => 5 - i / 100), wild = line.map((y, i) => i === 119 ? 9 : y);
    check(smoothed(line).every((y, i) => Math.abs(y - line[i]) < 1e-9), "a line");
    const end = smoothed(wild);
    check(end[119] < 6 && end[118] < 5.6 && end.every((y) => y >= 3.8 && y <= 9), "the end hooks: " + end.slice(-4));
    check(smoothed([1, null, 3, 1, null]).map((y) => y === null).join() === "false,true,false,false,true", "gaps");

    // Tables.
    const cells = all("td.number").map((cell) => cell.textContent);
    check(cells.join() === "3.25 ± 0.1,6.66", "numbers flush right: " + cells.join());

    // Formulas and matrices.
    check(document.querySelector(".formula").textContent === "y = gamma x-hat + beta\n<i>dx</i> = inv_std g", "formula");
    const cell = all(".matrices td");
    check(cell.map((td) => td.textContent).join() === "-1.00,0.50,0.00,0.00,2.00,1.00", "matrices");
    const color = cell.map((td) => getComputedStyle(td).backgroundColor);
    check(new Set([color[0], color[1], color[2], color[4]]).size === 4, "cells have colours: " + color);
    check(all(".matrices caption").map((caption) => caption.textContent).join() === "sample 0,sample 1", "captions");

    // Colour maps: one scale for all, gaps stay clear, cells can be pointed at.
    const maps = all(".color-map");
    check(maps.length === 2 && all(".scale .ends").map((end) => end.textContent).join() === "0.5,8", "scale of the maps");
    const pixel = (map, x, y) => [...map.querySelector("canvas").getContext("2d").getImageData(x, y, 1, 1).data].join();
    check(pixel(maps[0], 0, 1) === "30,18,54,255" && pixel(maps[1], 0, 0) === "250,236,160,255", "colours of the ends");
    check(pixel(maps[0], 1, 1) === "0,0,0,0" && pixel(maps[1], 0, 1) === "0,0,0,0", "gaps: NaN, and 0 in a log scale");
    const cell_words = () => maps[0].parentNode.querySelector("figcaption").textContent;
    check(cell_words() === "step 10 to 30, channel 0 to 1", "words of a map: " + cell_words());
    maps[0].scrollIntoView();
    const place = maps[0].getBoundingClientRect();
    maps[0].dispatchEvent(new PointerEvent("pointermove", {clientX: place.right - 3, clientY: place.bottom - 3}));
    check(cell_words() === "step 30, channel 1: 4" && !maps[0].querySelector(".mark").hidden, "pointing at a cell: " + cell_words());
    key(maps[0], "ArrowUp"); key(maps[0], "ArrowLeft");
    check(cell_words() === "step 20, channel 0: 2" && maps[0].getAttribute("aria-valuenow") === "1", "moving by key: " + cell_words());
    maps[0].dispatchEvent(new PointerEvent("pointerleave"));
    check(cell_words() === "step 10 to 30, channel 0 to 1", "pointer gone from the map");

    // A chart of few settings: a log scale with a tick and a mark at each. A grid: names, numbers, the best
    // of each row.
    const marks = all("circle", spread).map((mark) => Number(mark.getAttribute("cx")));
    check(marks.length === 3 && Math.abs((marks[2] - marks[0]) / (marks[1] - marks[0]) - 4) < 0.01, "x on a log scale: " + marks);
    check(all("text", spread.querySelector(".plot")).filter((text) => ["1", "2", "16"].includes(text.textContent)).length >= 3, "ticks");
    const grid = document.querySelector(".grid-plot"), names = all("text", grid).map((text) => text.textContent);
    check(names.join() === "rate,0.1,1,none,2.00,± 0.1,NaN,<i>batch</i>,1.00,3.00", "words of the grid: " + names);
    check(all(".number.best", grid).map((text) => text.textContent).join() === "2.00,1.00" && all(".frame.best", grid).length === 2, "best");
    const shades = all(".cell", grid).map((cell) => Number(cell.getAttribute("opacity")));
    check(shades.length === 3 && shades[1] > shades[0] && shades[0] > shades[2], "shades of the grid: " + shades);
    check(all("line.grid", grid).length === 2, "a cell without a number is crossed out");

    // Findings.
    check(all(".findings .verdict").map((words) => words.textContent).join() === "supported,contradicted", "verdicts");
    check(document.querySelector(".claim").textContent === "<i>A</i> is less than B", "claim");

    // Its measurements can be pointed at and reached by keys.
    const effect = document.querySelector(".effect"), words_of_effect = () => effect.querySelector("text").textContent;
    check(words_of_effect() === "threshold 5 %", "words of an effect: " + words_of_effect());
    effect.scrollIntoView();
    const ring = all(".one", effect)[1].getBoundingClientRect();
    effect.dispatchEvent(new PointerEvent("pointermove", {clientX: ring.x + 3, clientY: ring.y}));
    check(words_of_effect() === "60 %, 2 of 2" && all(".read", effect).length === 1, "pointing at a measurement: " + words_of_effect());
    key(effect, "ArrowLeft");
    check(words_of_effect() === "mean 50 %, interval 30 % to 70 %", "the mean by key: " + words_of_effect());
    effect.dispatchEvent(new PointerEvent("pointerleave"));
    check(words_of_effect() === "threshold 5 %" && all(".read", effect).length === 0, "pointer gone from the effect");

    // Wiping, enlarging, comparing, going on.
    const slider = document.querySelector(".comparison input");
    slider.value = 20;
    slider.dispatchEvent(new Event("input"));
    check(document.querySelector(".comparison .wipe").style.getPropertyValue("--at") === "20%", "wipe");
    const under = () => all(".comparison .wipe img").map((image) => image.alt).join();
    check(under() === "A red square,A dark square", "the first two: " + under());
    const [left_choice, right_choice] = all(".comparison select");
    right_choice.value = 2;
    right_choice.dispatchEvent(new Event("change"));
    check(under() === "A red square,A brown square", "another on the right: " + under());
    check(document.querySelector(".comparison .wipe").style.getPropertyValue("--at") === "20%", "the border stays");
    check(left_choice.isConnected && left_choice.value === "0", "the choice stays");
    const [first_scene, other_scene] = all(".comparison .scenes button");
    check(other_scene.getAttribute("aria-label") === "map" && first_scene.getAttribute("aria-pressed") === "true", "two scenes");
    other_scene.click();
    check(under() === "A red square,Means by layer" && other_scene.getAttribute("aria-pressed") === "true", "another scene: " + under());
    check(document.querySelector(".scenes output").textContent === "map", "its name");
    first_scene.click();
    check(under() === "A red square,A brown square", "back, with what was chosen there: " + under());

    // Going from step to step: pictures follow, by slider and by buttons.
    const way = document.querySelector(".steps"), at_step = () => way.querySelector("output").textContent;
    const painted = () => way.parentNode.querySelector("img").alt;
    const [earlier, later] = all("button", way), way_slider = way.querySelector("input");
    check(at_step() === "step 40" && painted() === "A red square" && later.disabled, "the last step first: " + at_step());
    earlier.click();
    check(at_step() === "step 20" && painted() === "A brown square" && !later.disabled, "a step back: " + at_step());
    way_slider.value = 0;
    way_slider.dispatchEvent(new Event("input"));
    check(at_step() === "step 10" && painted() === "A dark square" && earlier.disabled, "the first step: " + at_step());
    check(way_slider.getAttribute("aria-valuetext") === "step 10", "the step in words");

    const viewer = document.getElementById("viewer");
    all(".thumb")[0].click();
    check(viewer.open && all("img", viewer).length === 1, "enlarged");
    check(viewer.querySelector("img").getBoundingClientRect().width > 200, "large");
    const next = () => viewer.querySelector("[data-control=next]");
    next().focus();
    next().click();
    check(viewer.querySelector("img").alt === "A dark square" && document.activeElement === next(), "next, and the focus stays");
    key(viewer, "ArrowRight");
    check(viewer.querySelector("img").alt === "Means by layer", "next by key");
    key(viewer, "ArrowRight");
    check(viewer.querySelector("img").alt === "A red square", "round again");
    const compare = viewer.querySelector("select");
    compare.value = 1;
    compare.dispatchEvent(new Event("change"));
    check(all(".wipe img", viewer).map((image) => image.alt).join() === "A red square,A dark square", "compared");
    all("button", viewer).pop().click();
    check(!viewer.open, "closed");

    // Every control has a name.
    for (const control of all("button, input, select, .plot, .color-map, .effect")) {
      check((control.getAttribute("aria-label") || control.textContent || (control.labels && control.labels.length)), "nameless control");
    }
    check(performance.getEntriesByType("resource").every((entry) => entry.name.startsWith("data:")), "asked the network");

    // A chart can be had as a file: one that stands alone, with title and names.
    const saved = [], blobs = [];
    const click = HTMLAnchorElement.prototype.click, url_of = URL.createObjectURL;
    URL.createObjectURL = (blob) => { blobs.push(blob); return "data:,"; };
    HTMLAnchorElement.prototype.click = function() { saved.push({name: this.download, blob: blobs[blobs.length - 1]}); };
    const saves = async (count) => { for (let wait = 0; wait < 50 && saved.length < count; ++wait) await new Promise((done) => setTimeout(done, 20)); };
    const [svg_button, png_button] = all(".save", loss);
    svg_button.click();
    await saves(1);
    const svg = await saved[0].blob.text();
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    check(saved[0].name === "loss.svg" && parsed.nodeName === "svg", "SVG: " + saved[0].name);
    check(parsed.textContent.includes("Loss") && parsed.textContent.includes("style"), "title and names in the SVG");
    check(!svg.includes("var(") && !svg.includes("class=") && parsed.querySelectorAll("path").length === 2, "the SVG needs no style sheet");
    png_button.click();
    await saves(2);
    const png = saved[1]?.blob ?? new Blob();
    check(saved[1]?.name === "loss.png" && png.type === "image/png" && png.size > 5000, "PNG of " + png.size + " bytes");
    HTMLAnchorElement.prototype.click = click;
    URL.createObjectURL = url_of;
  };
  addEventListener("load", () => setTimeout(async () => {
    try { await main(); } catch (error) { errors.push(String(error.stack)); }
    // The table of all numbers comes with an event of its own.
    setTimeout(() => {
      check(document.querySelectorAll("details table tbody tr").length === 100, "numbers");
      document.title = errors.length === 0 ? "ALL WELL" : "WRONG: " + errors.join("; ");
    }, 200);
  }, 200));
</script>)";

}  // namespace

TEST_CASE("every part and control of a report works in a browser, wide and narrow") {
  if (browser().empty()) {
    std::cout << "SKIPPED: no Chromium here\n";
    return;
  }
  const Report report = sample_report();
  CHECK(title_in_browser(report.html(), kUse, "1280,900") == "ALL WELL");
  CHECK(title_in_browser(report.html(), kUse, "500,800") == "ALL WELL");
}

TEST_CASE(
    "without scripts the pictures of a comparison are both shown, and nothing is wider than the window") {
  if (browser().empty()) {
    return;
  }
  // What a browser without scripts shows, measured by one with them.
  std::string html = sample_report().html();
  for (const char* tag : {"<noscript>", "</noscript>"}) {
    html.replace(html.find(tag), std::string(tag).size(), "");
  }
  html.erase(html.find("<main"), html.rfind("</body>") - html.find("<main"));
  const char* const script = R"(<script>
    addEventListener("load", () => {
      const seen = [...document.querySelectorAll("img")].filter((image) => image.naturalWidth > 0 && image.getBoundingClientRect().height > 0);
      const wide = document.documentElement.scrollWidth > innerWidth;
      document.title = errors.length ? "WRONG: " + errors.join("; ")
                                     : `${seen.map((image) => image.alt)}${wide ? ", too wide" : ""}`;
    });
  </script>)";
  for (const char* size : {"1280,900", "500,800"}) {
    CHECK(title_in_browser(html, script, size) == "A red square,A dark square,A brown square,Means by layer");
  }
}

TEST_CASE("a report with progress shows it, and reloads itself") {
  if (browser().empty()) {
    return;
  }
  Report report = sample_report();
  report.progress = ReportProgress{0.62, "step 62 of 100"};
  const char* const script = R"(<script>
    addEventListener("load", () => {
      const loads = Number(sessionStorage.getItem("loads")) + 1;
      sessionStorage.setItem("loads", loads);
      const words = document.querySelector(".status").textContent.slice(0, 14);
      const value = document.querySelector(".status progress").value;
      document.title = errors.length ? "WRONG: " + errors.join("; ")
                                     : `${loads} loads | ${document.title.slice(0, 12)} | ${words} | ${value}`;
    });
  </script>)";
  std::string html = report.html();
  const std::string wait = "(stale ? 60000 : 10000)";
  REQUIRE(html.find(wait) != std::string::npos);
  // Once, and soon.
  html.replace(html.find(wait), wait.size(), "(sessionStorage.getItem('loads') < 2 ? 1000 : 1e9)");
  CHECK(title_in_browser(html, script, "1280,900") == "2 loads | 62 % · Night | step 62 of 100 | 0.62");
}
