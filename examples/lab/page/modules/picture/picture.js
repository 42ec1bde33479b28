// The picture: what each norm removes from a photograph.
import dandelion from "../../../../assets/photos/dandelion.jpg";
import kingfisher from "../../../../assets/photos/kingfisher.jpg";
import {make, once_a_frame} from "../dom.js";
import {norm_panels} from "./panels.js";
import {draw_planes, load_image, planes_of, planes_of_size} from "./pixels.js";
import {slider} from "./slider.js";
import {picture_source} from "./source.js";

const long_side = 240;

/** Fills `section`, and gives what else wants the picture: {planes(), watch(tell)}. */
export async function start_picture(section, engine) {
  const neighbour = await load_image(dandelion, "The second picture");
  let before = planes_of(await load_image(kingfisher, "The picture"), long_side), other = null;
  const watchers = [];
  const input = make("canvas", {role: "img", "aria-label": "The picture with the sliders' contrast and brightness"});
  const second = make("canvas", {role: "img", "aria-label": "The second picture of batch norm's batch"});
  const panels = norm_panels(engine);
  const redraw = once_a_frame(() => update());
  const contrast = slider({label: "Contrast", min: 0.1, max: 2, step: 0.05, value: 0.35, change: redraw});
  const brightness = slider({label: "Brightness", min: -0.5, max: 0.8, step: 0.05, value: 0.55, change: redraw});
  const set = (a, b) => { contrast.set(a); brightness.set(b); redraw(); };
  const source = picture_source(section, (picture) => {
    before = planes_of(picture, long_side);
    other = null;
    update();
    watchers.forEach((tell) => tell());
  });
  section.append(make("div", {class: "picture-in"},
    make("div", {class: "card"}, make("h3", {}, "x: your picture"), input, contrast.element, brightness.element, make("div", {class: "buttons"},
      make("button", {type: "button", onclick: () => set(1, 0)}, "As it is"), make("button", {type: "button", onclick: () => set(0.35, 0.55)}, "Fog"),
      make("button", {type: "button", onclick: () => set(0.35, 0)}, "Night")), source),
    make("div", {class: "card"}, make("h3", {}, "Its neighbour in the batch"), second, make("p", {class: "note"}, "Only batch norm sees it."))), panels.element);

  function update() {
    other ??= planes_of_size(neighbour, before.height, before.width);
    const a = contrast.value(), b = brightness.value();
    const planes = {...before, pixels: before.pixels.map((v) => a * v + b)};
    draw_planes(input, planes);
    draw_planes(second, other);
    panels.update(planes, before, other);
  }
  update();
  return {planes: () => before, watch(tell) { watchers.push(tell); }};
}
