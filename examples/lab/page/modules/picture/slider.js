import {make, new_id} from "../dom.js";

/** A labelled slider that shows its number: {element, value(), set(value)}. */
export function slider({label, min, max, step, value, digits = 2, change}) {
  const id = new_id("slider"),
    number = make("output", {for: id});
  const input = make("input", {type: "range", id, min, max, step, value});
  const tell = () => {
    number.textContent = Number(input.value).toFixed(digits).replace("-", "−");
  };
  input.addEventListener("input", () => {
    tell();
    change();
  });
  tell();
  return {
    element: make("div", {class: "labelled-slider"}, make("label", {for: id}, label, " ", number), input),
    value: () => Number(input.value),
    set(next) {
      input.value = next;
      tell();
    },
  };
}
