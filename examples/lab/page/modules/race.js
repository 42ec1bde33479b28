// The race: the same network with three normalizations, trained in a worker while one looks (engine/race.h).
import {make, new_id} from "./dom.js";
import {medium} from "./format.js";
import {draw_planes} from "./picture/pixels.js";
import {read_race, rates, steps, write_race} from "./race/address.js";
import {race_chart} from "./race/chart.js";
import {photograph_side, race_pictures, style_side} from "./race/pictures.js";
import still from "./race/still.json";

const lanes = [
  {norm: "instance", title: "Instance norm"},
  {norm: "batch", title: "Batch norm"},
  {norm: "none", title: "None"},
];
const at_a_time = 5;  // steps between two looks; a point of a curve is the mean of so many losses

/** Builds the race in `section`, with the result of an earlier one to look at until somebody starts it. */
export async function startRace(section, engine) {
  const ids = {seed: new_id("seed"), rate: new_id("rate")};
  const chart = race_chart(lanes), said = make("p", {class: "note", role: "status"});
  const cards = lanes.map(({norm, title}) => {
    const canvas = make("canvas", {role: "img", "aria-label": `${title}: its painting`, width: photograph_side, height: photograph_side});
    const loss = make("span", {class: "loss"});
    return {canvas, loss, element: make("figure", {class: `card lane-card ${norm}`}, canvas, make("figcaption", {}, make("span", {class: "key"}), title, " ", loss))};
  });
  const shown = make("canvas", {role: "img", "aria-label": "The photograph that is painted"}), style = make("canvas", {role: "img", "aria-label": "The style, a detail of The Starry Night"});
  const seed = make("input", {type: "number", id: ids.seed, min: 0, max: 2 ** 32 - 1, step: 1, inputmode: "numeric", onchange: () => begin_anew()});
  const rate = make("select", {id: ids.rate, onchange: () => begin_anew()}, rates.map((value) => make("option", {value}, String(value))));
  const start = make("button", {type: "button", onclick: () => (running ? pause() : run())}, "Start the race");
  const stop = make("button", {type: "button", disabled: true, onclick: () => begin_anew()}, "Stop");

  let running = false, race = 0, step = 0, points = {}, pictures = null;

  const show = () => {
    chart.update(points, steps);
    for (const [i, {norm}] of lanes.entries()) cards[i].loss.textContent = points[norm]?.length ? medium(points[norm].at(-1)[1]) : "";
  };
  const label = () => {
    start.textContent = running ? "Pause" : step === 0 ? "Start the race" : step < steps ? "Go on" : "Once more";
    stop.disabled = step === 0 || step === steps;
  };

  /** Forgets the race that is on; its curves and pictures stay until another begins. */
  function begin_anew() {
    race++;
    running = false;
    step = 0;
    const chosen = {seed: Math.floor(Number(seed.value)) || 0, rate: Number(rate.value)};
    write_race(chosen);
    said.textContent = `Seed ${chosen.seed}, learning rate ${chosen.rate}: not begun.`;
    label();
  }

  function pause() {
    running = false;
    label();
  }

  async function run() {
    if (step === steps) begin_anew();
    running = true;
    label();
    const mine = race;
    try {
      if (step === 0) {
        said.textContent = "Getting ready ...";
        pictures ??= await race_pictures();
        points = Object.fromEntries(lanes.map(({norm}) => [norm, []]));
        await engine.raceNew({pixels: pictures.pixels, seed: Math.floor(Number(seed.value)) || 0, steps, learning_rate: Number(rate.value),
          norms: lanes.map(({norm}) => norm), style_side, photographs: pictures.count, photograph_side});
      }
      while (running && mine === race && step < steps) {
        const begun = performance.now(), now = await engine.raceStep(at_a_time, lanes.length);
        if (mine !== race) return;
        const seconds = (performance.now() - begun) / 1000;
        step = now.step;
        for (const [i, {norm}] of lanes.entries()) {
          const losses = now.losses[norm];
          points[norm].push([step, losses.reduce((sum, loss) => sum + loss, 0) / losses.length]);
          draw_planes(cards[i].canvas, {pixels: now.pictures[i], height: photograph_side, width: photograph_side});
        }
        show();
        said.textContent = `Step ${step} of ${steps}, ${(at_a_time / seconds).toFixed(1)} a second for each of the three.`;
      }
      if (step === steps) {
        running = false;
        section.dispatchEvent(new CustomEvent("finished", {detail: {seed: Number(seed.value), rate: Number(rate.value), points}}));
      }
    } catch (error) {
      running = false;
      said.textContent = error.message;
    }
    label();
  }

  section.append(
    make("p", {}, "Each sees the same crops of four photographs in the same order, and learns to paint them like The Starry Night: the losses are those of ", make("code", {}, "style-transfer train"),
      ", with filters that need no training. A fifth photograph, which none of them trains on, is painted as they go."),
    make("div", {class: "race"},
      make("div", {class: "lanes"}, cards.map(({element}) => element),
        make("figure", {class: "card lane-card given"}, shown, make("figcaption", {}, "Photograph")), make("figure", {class: "card lane-card given"}, style, make("figcaption", {}, "Style"))),
      make("figure", {class: "card curves"}, make("figcaption", {}, make("h3", {}, "Loss")), chart.element),
      make("div", {class: "race-controls"}, start, stop,
        make("label", {for: ids.seed}, "Seed"), seed, make("label", {for: ids.rate}, "Learning rate"), rate), said,
      make("p", {}, "At 0.005 the network without a norm stays far behind, and with some seeds it ends as one colour. At 0.001 it does better, and still lags. With a norm the large steps are safe: " +
        "whatever a convolution's weights grow to, what leaves the norm has the scale of \u03b3. Instance and batch norm go side by side here; which weights they begin from matters more, as other seeds show. " +
        "How the two part on larger pictures is what ", make("code", {}, "compare-norms"), " measures (", make("span", {class: "file"}, "docs/compare-norms.md"), ")."),
      make("p", {class: "source"}, "Computed by ", make("code", {}, "Race::step"), " in ", make("span", {class: "file"}, "examples/lab/engine/race.cpp"), ", losses by ", make("code", {}, "style_transfer_losses"), " in ",
        make("span", {class: "file"}, "examples/painting/losses.cpp"), "; one thread, in a worker of this page.")));

  const chosen = read_race();
  seed.value = chosen.seed;
  rate.value = String(chosen.rate);
  points = still.points;
  step = 0;
  show();
  label();
  said.textContent = `What seed ${still.seed} at learning rate ${still.rate} came to. Start it to see it happen.`;
  for (const [i, {norm}] of lanes.entries()) {
    const image = new Image();
    image.onload = () => { if (step === 0) cards[i].canvas.getContext("2d").drawImage(image, 0, 0); };
    image.src = still.pictures[norm];
  }
  pictures = await race_pictures();
  draw_planes(shown, pictures.shown);
  draw_planes(style, pictures.style);
}
