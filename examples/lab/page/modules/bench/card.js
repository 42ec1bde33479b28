import {computed_by} from "../code.js";
import {make} from "../dom.js";

/** A box of the bench: title, formula, what it holds, and which functions of the code compute it. */
export function card({title, formula, code = [], kind = ""}, ...content) {
  return make(
    "div",
    {class: `card ${kind}`},
    make("h4", {}, title),
    formula ? make("p", {class: "formula"}, formula) : null,
    content,
    code.length > 0 ? computed_by(...code) : null,
  );
}
