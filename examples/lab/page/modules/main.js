import {start_bench} from "./bench/bench.js";
import {make} from "./dom.js";
import {loadEngine} from "./engine.js";
import {start_exercises} from "./exercises/exercises.js";
import {start_navigation} from "./navigation.js";
import {start_painting} from "./picture/painting.js";
import {start_picture} from "./picture/picture.js";
import {startRace} from "./race.js";
import {start_theme} from "./theme.js";

const section = (id) => document.getElementById(id);

start_theme(section("theme"));
const starting = section("starting");
let engine = null;
try {
  engine = await loadEngine();
} catch (error) {
  starting.textContent = `The lab cannot start here: ${error.message}. It needs a browser of 2023 or later, with WebAssembly, SIMD and DecompressionStream.`;
  throw error;
}
const bench = start_bench(section("bench"), engine);
starting.remove();

// What goes wrong in one part is said there, and the others start all the same.
for (const [id, start] of [
  ["picture", async (part) => start_painting(part, engine, await start_picture(part, engine))],
  ["race", (part) => startRace(part, engine)],
  ["exercises", (part) => start_exercises(part, engine, bench)],
]) {
  try {
    await start(section(id));
  } catch (error) {
    console.error(error);
    section(id).append(make("p", {class: "refusal", role: "alert"}, `This part does not run here: ${error.message}`));
  }
}
start_navigation(document.querySelector("nav"));
