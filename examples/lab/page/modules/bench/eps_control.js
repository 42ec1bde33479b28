import {make, new_id} from "../dom.js";
import {full, parse_number} from "../format.js";

/** eps by a slider over its powers of ten, or typed. `change(eps)`. */
export function eps_control(change) {
  const id = new_id("eps");
  const slider = make("input", {type: "range", min: -8, max: 1, step: 0.25, "aria-label": "eps, as a power of ten"});
  const text = make("input", {type: "text", inputmode: "decimal", id, class: "eps", autocomplete: "off"});
  slider.addEventListener("input", () => change(Number((10 ** slider.value).toPrecision(2))));
  text.addEventListener("input", () => {
    const eps = parse_number(text.value);
    const fine = eps >= 1e-12 && eps <= 1e6; // as norm-lab takes it
    text.classList.toggle("invalid", !fine);
    text.setAttribute("aria-invalid", !fine);
    if (fine) change(eps);
  });
  return {
    element: make(
      "fieldset",
      {class: "eps-control"},
      make("legend", {}, "eps"),
      slider,
      make("label", {for: id, class: "unseen"}, "eps"),
      text,
    ),
    update({eps}) {
      if (document.activeElement !== text) text.value = full(eps);
      slider.value = Math.log10(Math.max(eps, 1e-8));
      slider.setAttribute("aria-valuetext", full(eps));
    },
  };
}
