import {make, room_for} from "../dom.js";
import {medium} from "../format.js";

const height = 250,
  margin = {left: 46, right: 8, top: 8, bottom: 24};

/** The mean of every channel of a layer as a dot, and a deviation to both sides of it as a line. */
export function layer_chart() {
  const svg = make("svg", {class: "layer-chart"});
  return {
    element: svg,
    update({name, mean, variance}) {
      const width = room_for(svg);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      const deviation = variance.map((v) => Math.sqrt(Math.max(0, v)));
      const low = Math.min(0, ...mean.map((m, c) => m - deviation[c])),
        high = Math.max(0, ...mean.map((m, c) => m + deviation[c])),
        span = high - low || 1;
      const x = (c) => margin.left + ((c + 0.5) / mean.length) * (width - margin.left - margin.right);
      const y = (value) => margin.top + ((high - value) / span) * (height - margin.top - margin.bottom);
      svg.setAttribute("role", "img");
      svg.setAttribute(
        "aria-label",
        `${name}: mean and deviation of ${mean.length} channels, from ${medium(low)} to ${medium(high)}`,
      );
      svg.replaceChildren(
        make("line", {class: "axis", x1: margin.left, x2: width - margin.right, y1: y(0), y2: y(0)}),
        ...[low, 0, high].map((value) =>
          make(
            "text",
            {x: margin.left - 6, y: y(value) + 4, "text-anchor": "end"},
            medium(Number(value.toPrecision(2))),
          ),
        ),
        make("text", {x: margin.left, y: height - 6}, "channel 0"),
        make("text", {x: width - margin.right, y: height - 6, "text-anchor": "end"}, `channel ${mean.length - 1}`),
        ...mean.flatMap((m, c) => [
          make("line", {class: "deviation", x1: x(c), x2: x(c), y1: y(m - deviation[c]), y2: y(m + deviation[c])}),
          make("circle", {class: "dot", cx: x(c), cy: y(m), r: 2.5}),
        ]),
      );
    },
  };
}
