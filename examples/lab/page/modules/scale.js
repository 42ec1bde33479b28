import {make} from "./dom.js";
import {medium} from "./format.js";

/** The legend of a scale of colours from -limit over 0 to +limit. */
export function scale_legend() {
  const low = make("span"),
    high = make("span");
  return {
    element: make("p", {class: "scale"}, low, make("span", {class: "ramp", "aria-hidden": "true"}), high),
    update(limit) {
      low.textContent = medium(-limit);
      high.textContent = medium(limit);
    },
  };
}

/** The largest size of all numbers in lists. */
export const limit_of = (...lists) => Math.max(0, ...lists.flat().map(Math.abs).filter(Number.isFinite));
