// The picture: what each norm removes from a photograph.
import dandelion from "../../../../assets/photos/dandelion.jpg";
import kingfisher from "../../../../assets/photos/kingfisher.jpg";
import {make, once_a_frame} from "../dom.js";
import {norm_panels} from "./panels.js";
import {draw_planes, load_image, planes_of, planes_of_size} from "./pixels.js";
import {slider} from "./slider.js";
import {picture_source} from "./source.js";

const long_side = 240,
  long_side_painted = 320;

const adjusted = (planes, contrast, brightness) => ({
  ...planes,
  pixels: planes.pixels.map((v) => contrast * v + brightness),
});

/**
 * Fills `section`, and gives what else wants the picture: {planes(), watch(tell)}. planes() is the picture as the sliders
 * leave it, in a size to paint; tell() is called when it has changed.
 */
export async function start_picture(section, engine) {
  const neighbour = await load_image(dandelion, "The second picture");
  let before = null,
    large = null,
    other = null;
  const watchers = [];
  const take = (picture) => {
    before = planes_of(picture, long_side);
    large = planes_of(picture, long_side_painted);
    other = planes_of_size(neighbour, before.height, before.width);
  };
  take(await load_image(kingfisher, "The picture"));
  const input = make("canvas", {role: "img", "aria-label": "The picture with the sliders' contrast and brightness"});
  const second = make("canvas", {role: "img", "aria-label": "The second picture of batch norm's batch"});
  const panels = norm_panels(engine);
  const redraw = once_a_frame(() => update());
  const contrast = slider({label: "Contrast", min: 0.1, max: 2, step: 0.05, value: 0.35, change: redraw});
  const brightness = slider({label: "Brightness", min: -0.5, max: 0.8, step: 0.05, value: 0.55, change: redraw});
  const set = (a, b) => {
    contrast.set(a);
    brightness.set(b);
    redraw();
  };
  const source = picture_source(section, (picture) => {
    take(picture);
    update();
  });
  section.append(
    make(
      "div",
      {class: "picture-in"},
      make(
        "div",
        {class: "card"},
        make("h3", {}, "x: your picture"),
        input,
        contrast.element,
        brightness.element,
        make(
          "div",
          {class: "buttons"},
          make("button", {type: "button", onclick: () => set(1, 0)}, "As it is"),
          make("button", {type: "button", onclick: () => set(0.35, 0.55)}, "Fog"),
          make("button", {type: "button", onclick: () => set(0.35, 0)}, "Night"),
        ),
        source,
      ),
      make(
        "div",
        {class: "card"},
        make("h3", {}, "Its neighbour in the batch"),
        second,
        make("p", {class: "note"}, "Only batch norm sees it."),
      ),
    ),
    panels.element,
  );

  function update() {
    const planes = adjusted(before, contrast.value(), brightness.value());
    draw_planes(input, planes);
    draw_planes(second, other);
    panels.update(planes, before, other);
    watchers.forEach((tell) => tell());
  }
  update();
  return {
    planes: () => adjusted(large, contrast.value(), brightness.value()),
    watch(tell) {
      watchers.push(tell);
    },
  };
}
