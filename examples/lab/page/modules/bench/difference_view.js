import {make} from "../dom.js";
import {full, medium} from "../format.js";
import {place_name} from "../tensor_view.js";

/**
 * What the backward says about one number, beside what moving it does to the loss. show() takes the
 * engine's answers; the sum of the terms and the difference stand under each other, all digits.
 */
export function difference_view() {
  const title = make("p", {class: "chosen-name"});
  const body = make("tbody");
  const verdict = make("p", {class: "verdict", "aria-live": "polite"});
  const row = (name, value, kind) =>
    make("tr", {class: kind}, make("th", {scope: "row"}, name), make("td", {class: "number"}, full(value)));
  return {
    element: make("div", {}, title, make("div", {class: "scroll"}, make("table", {class: "digits"}, body)), verdict),
    clear() {
      title.textContent = "";
      body.replaceChildren();
      verdict.textContent = "";
    },
    show({situation, numbers, answer}) {
      const {of, index} = situation.chosen,
        symbol = {x: "x", gamma: "γ", beta: "β"}[of];
      const shape =
        of === "x"
          ? situation.shape
          : [1, situation.shape[1], ...(situation.norm === "layer" ? situation.shape.slice(2) : [1, 1])];
      title.textContent = `${symbol} at ${place_name(shape, index)} is ${full(situation[of][index])}`;
      const terms =
        of === "x"
          ? [
              row("upstream", numbers.dx_terms.upstream[index]),
              row("mean term", numbers.dx_terms.mean[index]),
              row("x̂ term", numbers.dx_terms.x_hat[index]),
            ]
          : [];
      body.replaceChildren(
        ...terms,
        row(`d${symbol}, by the backward`, answer.gradient, "total"),
        row(`loss at ${symbol} + h`, answer.loss_plus),
        row(`loss at ${symbol} − h`, answer.loss_minus),
        row("h", answer.h),
        row("difference / 2h", answer.difference, "total"),
      );
      verdict.textContent = `They differ by ${medium(Math.abs(answer.difference - answer.gradient))}.`;
    },
  };
}
