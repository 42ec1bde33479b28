import {statistic_of} from "../axes.js";
import {make, room_for, when_quiet} from "../dom.js";
import {medium} from "../format.js";
import {request_of} from "../situation.js";

const height = 190,
  margin = {left: 8, right: 8, top: 10, bottom: 26},
  steps = 24;

/**
 * The loss over the chosen number, all others held, and the straight line that the backward's gradient says it follows
 * here: they touch. Drawn when the reader has stopped moving things, as every point is a forward of its own.
 */
export function loss_curve(engine) {
  const svg = make("svg", {class: "loss-curve"});
  const words = make("p", {class: "note"});
  let asked = null;

  const draw = when_quiet(120, () => {
    if (!asked) {
      svg.replaceChildren();
      words.textContent = "";
      return;
    }
    const {situation, numbers, gradient} = asked,
      {of, index} = situation.chosen,
      value = situation[of][index];
    const symbol = {x: "x", gamma: "γ", beta: "β"}[of];
    // Over a few deviations of S the loss curves; in gamma and beta it is a straight line anyway.
    const reach = of === "x" ? 1.5 / numbers.inv_std[statistic_of(situation, index)] : 1.5;
    // [number, loss] beside `moved`: the engine tells the loss at number + h.
    const point_at = (moved) => {
      const list = situation[of].slice();
      list[index] = moved;
      const {h, loss_plus} = engine.difference(request_of({...situation, [of]: list}), of, index);
      return [moved + h, loss_plus];
    };
    const width = room_for(svg),
      [, here] = point_at(value);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const curve = Array.from({length: steps + 1}, (_, k) => point_at(value + reach * ((2 * k) / steps - 1)));
    const low = Math.min(...curve.map(([, y]) => y)),
      high = Math.max(...curve.map(([, y]) => y)),
      air = Math.max(high - low, 1e-9) * 0.12;
    const at = ([x, y]) => [
      margin.left + ((x - value + reach) / (2 * reach)) * (width - margin.left - margin.right),
      margin.top + ((high + air - y) / (high - low + 2 * air)) * (height - margin.top - margin.bottom),
    ];
    const point = (place) =>
      at(place)
        .map((v) => v.toFixed(1))
        .join(" ");
    // The tangent as far as the drawing goes, to the left (-1) and to the right (1).
    const tangent_end = (side) => {
      const slope = side * gradient,
        free = slope > 0 ? high + air - here : here - low + air;
      const far = side * Math.min(reach, slope === 0 ? reach : free / Math.abs(slope));
      return [value + far, here + far * gradient];
    };
    const [x, y] = at([value, here]),
      axis = height - margin.bottom;
    const label = (place, anchor, text) => make("text", {x: place, y: height - 8, "text-anchor": anchor}, text);
    svg.setAttribute("role", "img");
    svg.setAttribute(
      "aria-label",
      `The loss over ${symbol}, from ${medium(value - reach)} to ${medium(value + reach)}, and its tangent of slope ${medium(gradient)}`,
    );
    svg.replaceChildren(
      make("line", {class: "axis", x1: margin.left, x2: width - margin.right, y1: axis, y2: axis}),
      make("path", {class: "curve", d: `M${curve.map(point).join("L")}`}),
      make("path", {class: "tangent", d: `M${point(tangent_end(-1))}L${point(tangent_end(1))}`}),
      make("circle", {class: "dot", cx: x, cy: y, r: 5}),
      label(margin.left, "start", medium(value - reach)),
      label(x, "middle", `${symbol} = ${medium(value)}`),
      label(width - margin.right, "end", medium(value + reach)),
    );
    words.textContent = `The loss over this one number (solid), and the line of slope d${symbol} (dashed): they touch where ${symbol} is now.`;
  });
  return {
    element: make("figure", {class: "loss"}, svg, words),
    /** {situation, numbers, gradient}, or null where the layer refuses. */
    update(next) {
      asked = next;
      draw();
    },
  };
}
