import {make, room_for} from "../dom.js";
import {medium} from "../format.js";

const height = 260, left = 44, right = 12, top = 12, bottom = 38;

/** The losses' curves: log scale upward, steps to the right. A curve for each of `lanes`, {norm, title}. */
export function race_chart(lanes) {
  const svg = make("svg", {role: "img", "aria-label": "Losses, step by step"});
  return {
    element: svg,
    /** `points` is {norm: [[step, loss], ...]}, `steps` the length of the race. */
    update(points, steps) {
      const width = room_for(svg);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const losses = Object.values(points).flat().map(([, loss]) => loss).filter((loss) => Number.isFinite(loss) && loss > 0);
      const low = Math.min(0.5, ...losses), high = Math.max(10, ...losses);
      const x = (step) => left + (width - left - right) * step / steps;
      const y = (loss) => top + (height - top - bottom) * (Math.log(high) - Math.log(loss)) / (Math.log(high) - Math.log(low));
      const marks = [0.5, 1, 2, 5, 10, 20, 50, 100].filter((loss) => loss >= low && loss <= high);
      const there = lanes.filter(({norm}) => points[norm]?.length);
      const path = (norm) => points[norm].filter(([, loss]) => Number.isFinite(loss) && loss > 0)
        .map(([step, loss], i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`).join("");
      svg.replaceChildren(
        ...marks.map((loss) => make("g", {},
          make("line", {class: "grid", x1: left, x2: width - right, y1: y(loss), y2: y(loss)}),
          make("text", {x: left - 6, y: y(loss) + 4, "text-anchor": "end"}, medium(loss)))),
        ...[["start", 0], ["middle", steps / 2], ["end", steps]].map(([anchor, step]) =>
          make("text", {x: x(step), y: height - 20, "text-anchor": anchor}, medium(step))),
        make("text", {x: width / 2, y: height - 5, "text-anchor": "middle"}, "steps"),
        ...there.map(({norm}) => make("path", {class: `lane ${norm}`, d: path(norm)})));
      svg.setAttribute("aria-label", "Losses, step by step. Now: " +
        there.map(({norm, title}) => `${title} ${medium(points[norm].at(-1)[1])}`).join(", "));
    },
  };
}
