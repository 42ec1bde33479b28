import {computed_by} from "../code.js";
import {make} from "../dom.js";
import {medium, short} from "../format.js";
import {draw_planes} from "./pixels.js";

// A photograph's usual mean and deviation, so that a normalized picture can be looked at: gamma and beta.
const gamma = 0.22,
  beta = 0.45;

const norms = [
  {title: "None", code: null, words: "y = x"},
  {
    title: "Instance norm",
    norm: "instance",
    groups: 3,
    words: "each colour by itself (group norm with 3 groups is the same)",
    code: "axes",
  },
  {title: "Batch norm", norm: "batch", groups: 3, words: "each colour, over both pictures", code: "write_y"},
  {title: "Layer norm", norm: "layer", groups: 1, words: "the three colours together", code: "moments"},
  {title: "Group norm, 1 group", norm: "group", groups: 1, words: "the same set as layer norm", code: "axes"},
];

/** A panel for each norm: its picture, how far it moved, and the statistics that were used. */
export function norm_panels(engine) {
  const panels = norms.map((norm) => {
    const canvas = make("canvas", {role: "img", "aria-label": `${norm.title}: the picture`});
    const moved = make("p", {class: "moved"}),
      used = make("tbody");
    const element = make(
      "figure",
      {class: "card panel"},
      make("figcaption", {}, make("h4", {}, norm.title), make("p", {class: "note"}, norm.words)),
      canvas,
      moved,
      norm.norm
        ? make(
            "table",
            {class: "sets"},
            make(
              "thead",
              {},
              make(
                "tr",
                {},
                ["S", "μ", "σ"].map((word, i) => make("th", {scope: "col", class: i ? "number" : undefined}, word)),
              ),
            ),
            used,
          )
        : null,
      norm.code ? computed_by(norm.code) : null,
    );
    return {norm, canvas, moved, used, element};
  });

  // y of the first picture, as it can be looked at, and the statistics.
  const through = ({norm, groups}, planes, other) => {
    if (!norm) return {pixels: planes.pixels, statistics: []};
    const both = norm === "batch",
      size = planes.pixels.length,
      pixels = new Float32Array(both ? 2 * size : size);
    pixels.set(planes.pixels);
    if (both) pixels.set(other.pixels, size);
    const {y, statistics, mean, variance} = engine.normalizePicture({
      pixels,
      shape: [both ? 2 : 1, 3, planes.height, planes.width],
      norm,
      groups,
      eps: 1e-5,
    });
    return {pixels: y.subarray(0, size).map((v) => gamma * v + beta), statistics, mean, variance};
  };
  const distance = (a, b) => Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length);

  return {
    element: make(
      "div",
      {class: "panels"},
      panels.map(({element}) => element),
    ),
    /** `planes` is the picture with the sliders' contrast and brightness, `before` without. */
    update(planes, before, other) {
      for (const {norm, canvas, moved, used} of panels) {
        const now = through(norm, planes, other),
          then = through(norm, before, other);
        draw_planes(canvas, {...planes, pixels: now.pixels});
        moved.textContent = `The sliders move it by ${medium(distance(now.pixels, then.pixels))}.`;
        used.replaceChildren(
          ...now.statistics.map((name, s) =>
            make(
              "tr",
              {},
              make("th", {scope: "row"}, name),
              make("td", {class: "number"}, short(now.mean[s])),
              make("td", {class: "number"}, short(Math.sqrt(now.variance[s]))),
            ),
          ),
        );
      }
    },
  };
}
