// A ready-made style network paints the picture; what reaches each of its normalizations can be looked at.
import starry from "../../../../assets/models/starry.safetensors";
import {computed_by} from "../code.js";
import {make, new_id, when_quiet} from "../dom.js";
import {layer_chart} from "./layer_chart.js";
import {draw_planes} from "./pixels.js";
import {slider} from "./slider.js";

/** Appends the painting to `section`. `picture` is what start_picture() gives. */
export function start_painting(section, engine, picture) {
  const id = new_id("model"),
    choice = new_id("layer");
  const canvas = make("canvas", {role: "img", "aria-label": "The painting"}),
    said = make("p", {class: "note", role: "status"});
  const chart = layer_chart(),
    layers = make("select", {id: choice, onchange: () => show_layer()});
  let model = starry,
    name = "starry, which is in this page",
    statistics = [],
    run = 0;

  const paint_soon = when_quiet(150, () => paint());
  const strength = slider({label: "Strength", min: 0, max: 1, step: 0.05, value: 1, change: paint_soon});
  const file = make("input", {
    type: "file",
    id,
    accept: ".safetensors",
    class: "unseen",
    onchange: async () => {
      if (!file.files[0]) return;
      model = new Uint8Array(await file.files[0].arrayBuffer());
      name = file.files[0].name;
      paint();
    },
  });
  const show_layer = () => {
    if (statistics[layers.selectedIndex]) chart.update(statistics[layers.selectedIndex]);
  };

  async function paint() {
    const mine = ++run,
      {pixels, height, width} = picture.planes(),
      begun = performance.now();
    said.textContent = "Painting ...";
    try {
      const painted = await engine.stylize({model, pixels, height, width, strength: strength.value(), styleIndex: 0});
      if (mine !== run) return; // something newer is on its way
      draw_planes(canvas, {pixels: painted, height, width});
      said.textContent = `${name}: ${width} x ${height} in ${((performance.now() - begun) / 1000).toFixed(2)} s.`;
      const seen = await engine.layerStatistics({model, pixels, height, width});
      if (mine !== run) return;
      const kept = Math.max(0, layers.selectedIndex);
      statistics = seen;
      layers.replaceChildren(...seen.map((layer) => make("option", {}, layer.name)));
      layers.selectedIndex = Math.min(kept, seen.length - 1);
      show_layer();
    } catch (error) {
      if (mine === run) said.textContent = `${name}: ${error.message}`;
    }
  }

  const part = make(
    "div",
    {},
    make("h3", {}, "A network paints it"),
    make(
      "p",
      {},
      "It paints the picture as the sliders above leave it. An instance norm stands behind every convolution but the last. The first of them takes " +
        "the fog away: what changes in the painting is only texture, as the network adds a little noise to a picture, which counts for more in fog.",
    ),
    make(
      "div",
      {class: "painting"},
      make(
        "div",
        {class: "card"},
        make("h4", {}, "The painting"),
        canvas,
        strength.element,
        make("div", {class: "buttons"}, make("label", {for: id, class: "button"}, "Another model"), file),
        said,
        make(
          "p",
          {class: "source"},
          "Ready-made models lie in ",
          make("span", {class: "file"}, "examples/assets/models"),
          "; your own come from ",
          make("code", {}, "style-transfer train"),
          ".",
        ),
      ),
      make(
        "div",
        {class: "card"},
        make("h4", {}, "Statistics of a layer"),
        make("label", {for: choice}, "What reaches ", layers),
        chart.element,
        make(
          "p",
          {class: "note"},
          "Dots are the means of the channels; lines reach one deviation to both sides. The layer makes 0 and 1 of them, and then β and γ of the style.",
        ),
        computed_by("normalize_forward"),
      ),
    ),
  );
  section.append(part);
  picture.watch(paint_soon);
  // When it comes into view: it is the page's longest computation.
  new IntersectionObserver(
    ([entry], observer) => {
      if (!entry.isIntersecting) return;
      observer.disconnect();
      paint();
    },
    {rootMargin: "200px"},
  ).observe(part);
}
