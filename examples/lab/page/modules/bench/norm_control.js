import {size_of, slider_stops, statistics} from "../axes.js";
import {make, new_id} from "../dom.js";

const name_of = ({norm, groups}) => (norm === "group" ? `group, ${groups} groups` : norm);

/** One slider from instance over group to layer norm, and batch norm beside it. `change({norm, groups})`. */
export function norm_control(change) {
  const id = new_id("norm");
  let stops = [];
  const slider = make("input", {type: "range", id, min: 0, step: 1, list: `${id}-stops`});
  const marks = make("div", {class: "stops", "aria-hidden": "true"});
  const batch = make("input", {type: "checkbox", id: `${id}-batch`});
  const words = make("output", {for: id, class: "norm-words"});
  const tell = () => change(batch.checked ? {norm: "batch"} : stops[slider.value]);
  slider.addEventListener("input", () => {
    batch.checked = false;
    tell();
  });
  batch.addEventListener("change", tell);
  const element = make(
    "fieldset",
    {class: "norm-control"},
    make("legend", {}, "Normalization: who shares a mean"),
    make(
      "div",
      {class: "slider"},
      make("label", {class: "unseen", for: id}, "From instance over group to layer norm"),
      slider,
      marks,
    ),
    make("label", {class: "check"}, batch, " batch norm: a channel of all samples"),
    words,
  );
  return {
    element,
    update(situation) {
      const {norm, groups, shape} = situation;
      stops = slider_stops(shape[1]);
      slider.max = stops.length - 1;
      batch.checked = norm === "batch";
      const at = stops.findIndex((stop) => stop.norm === norm && (norm !== "group" || stop.groups === groups));
      slider.value = Math.max(0, at);
      slider.classList.toggle("resting", norm === "batch");
      slider.setAttribute(
        "aria-valuetext",
        norm === "batch" ? "off: batch norm is on" : `${name_of({norm, groups})} norm`,
      );
      marks.replaceChildren(
        ...stops.map((stop) => make("span", {}, stop.norm === "group" ? `group ${stop.groups}` : stop.norm)),
      );
      const count = statistics(situation),
        size = size_of(shape) / count;
      const who = situation.eval
        ? "each channel by its running statistics"
        : {
            instance: "each plane by itself",
            batch: "each channel, over all samples",
            group: `${shape[1] / groups} channels of a sample together`,
            layer: "all channels of a sample together",
          }[norm];
      words.textContent = `${norm[0].toUpperCase()}${norm.slice(1)} norm: ${who}. ${count} ${count === 1 ? "set" : "sets"} S of ${size} ${size === 1 ? "number" : "numbers"}.`;
    },
  };
}
