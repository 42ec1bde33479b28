import {make, new_id} from "../dom.js";
import {can_eval} from "../situation.js";

/** Training or evaluation. `change(evaluating)`. */
export function mode_control(change) {
  const name = new_id("mode");
  const choice = (words, evaluating) => {
    const input = make("input", {type: "radio", name, onchange: () => change(evaluating)});
    return {input, element: make("label", {}, input, ` ${words}`)};
  };
  const train = choice("training: mean and variance of x", false);
  const evaluation = choice("evaluation: running mean and variance", true);
  const why_not = make("p", {class: "note"});
  return {
    element: make(
      "fieldset",
      {class: "mode-control"},
      make("legend", {}, "Mode"),
      train.element,
      evaluation.element,
      why_not,
    ),
    update(situation) {
      train.input.checked = !situation.eval;
      evaluation.input.checked = situation.eval;
      evaluation.input.disabled = !can_eval(situation);
      why_not.textContent = can_eval(situation)
        ? ""
        : `${situation.norm[0].toUpperCase()}${situation.norm.slice(1)} norm keeps no running statistics.`;
    },
  };
}
