import {make, new_id} from "../dom.js";
import {largest_shape} from "../situation.js";

const names = ["N, samples", "C, channels", "H, rows", "W, columns"];

/** Four lists to choose the tensor's shape from. `change(shape)`. */
export function shape_control(change) {
  const choices = largest_shape.map((most, d) => {
    const id = new_id("size");
    const select = make(
      "select",
      {id, onchange: () => change(choices.map(({select}) => Number(select.value)))},
      Array.from({length: most}, (_, i) => make("option", {value: i + 1}, String(i + 1))),
    );
    const [letter, word] = names[d].split(", ");
    return {select, element: make("label", {for: id, class: "size"}, make("abbr", {title: word}, letter), " ", select)};
  });
  return {
    element: make(
      "fieldset",
      {class: "shape-control"},
      make("legend", {}, "Shape of x"),
      choices.map(({element}) => element),
    ),
    update({shape}) {
      shape.forEach((size, d) => {
        choices[d].select.value = size;
      });
    },
  };
}
