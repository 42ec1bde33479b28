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
  const picture = (words) => make("canvas", {role: "img", "aria-label": words, width: photograph_side, height: photograph_side});
  const card = (kind, canvas, ...words) => make("figure", {class: `card lane-card ${kind}`}, canvas, make("figcaption", {}, words));
  const cards = lanes.map(({norm, title}) => {
    const canvas = picture(`${title}: its painting`), loss = make("span", {class: "loss"});
    return {canvas, loss, element: card(norm, canvas, make("span", {class: "key"}), title, " ", loss)};
  });
  const shown = picture("The photograph that is painted"), style = picture("The style, a detail of The Starry Night");
  const seed = make("input", {
    type: "number", id: ids.seed, min: 0, max: 2 ** 32 - 1, step: 1, inputmode: "numeric", onchange: () => begin_anew(),
  });
  const rate = make("select", {id: ids.rate, onchange: () => begin_anew()},
    rates.map((value) => make("option", {value}, String(value))));
  const start = make("button", {type: "button", onclick: () => (running ? pause() : run())}, "Start the race");
  const stop = make("button", {type: "button", disabled: true, onclick: () => begin_anew()}, "Stop");

  let running = false, race = 0, step = 0, points = {}, pictures = null;

  const chosen = () => ({
    seed: Math.min(2 ** 32 - 1, Math.max(0, Math.floor(Number(seed.value)) || 0)), learning_rate: Number(rate.value),
  });
  const show = () => {
    chart.update(points, steps);
    for (const [i, {norm}] of lanes.entries()) {
      cards[i].loss.textContent = points[norm]?.length ? medium(points[norm].at(-1)[1]) : "";
    }
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
    const now = chosen();
    write_race(now);
    said.textContent = `Seed ${now.seed}, learning rate ${now.learning_rate}: not begun.`;
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
        await engine.raceNew({
          pixels: pictures.pixels, ...chosen(), steps, norms: lanes.map(({norm}) => norm), style_side, photographs: pictures.count,
          photograph_side,
        });
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
        section.dispatchEvent(new CustomEvent("finished", {detail: {...chosen(), points}}));
      }
    } catch (error) {
      running = false;
      said.textContent = error.message;
    }
    label();
  }

  const code = (text) => make("code", {}, text), file = (text) => make("span", {class: "file"}, text);
  section.append(
    make("p", {}, "Each sees the same crops of four photographs in the same order, and learns to paint them like The Starry ",
      "Night: the losses are those of ", code("style-transfer train"), ", with filters that need no training. A fifth ",
      "photograph, which none of them trains on, is painted as they go."),
    make("div", {class: "race"},
      make("div", {class: "lanes"}, cards.map(({element}) => element), card("given", shown, "Photograph"),
        card("given", style, "Style")),
      make("figure", {class: "card curves"}, make("figcaption", {}, make("h3", {}, "Loss")), chart.element),
      make("div", {class: "race-controls"}, start, stop,
        make("label", {for: ids.seed}, "Seed"), seed, make("label", {for: ids.rate}, "Learning rate"), rate), said,
      make("p", {}, "At 0.005 the network without a norm stays far behind, and with some seeds it ends as one colour. At 0.001 ",
        "it does better, and still lags. With a norm the large steps are safe: whatever a convolution's weights grow to, what ",
        "leaves the norm has the scale of \u03b3. Instance and batch norm go side by side here; which weights they begin from ",
        "matters more, as other seeds show. How the two part on larger pictures is what ", code("compare-norms"), " measures (",
        file("docs/compare-norms.md"), ")."),
      make("p", {class: "source"}, "Computed by ", code("Race::step"), " in ", file("examples/lab/engine/race.cpp"), ", losses by ",
        code("style_transfer_losses"), " in ", file("examples/painting/losses.cpp"), "; one thread, in a worker of this page.")));

  const asked = read_race();
  seed.value = asked.seed;
  rate.value = String(asked.learning_rate);
  points = still.points;
  step = 0;
  show();
  label();
  said.textContent = `What seed ${still.seed} at learning rate ${still.learning_rate} came to. Start it to see it happen.`;
  for (const [i, {norm}] of lanes.entries()) {
    const image = new Image();
    image.onload = () => { if (step === 0) cards[i].canvas.getContext("2d").drawImage(image, 0, 0); };
    image.src = still.pictures[norm];
  }
  pictures = await race_pictures();
  draw_planes(shown, pictures.shown);
  draw_planes(style, pictures.style);
}
