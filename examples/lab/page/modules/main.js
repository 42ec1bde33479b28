import {start_bench} from "./bench/bench.js";
import {loadEngine} from "./engine.js";
import {start_exercises} from "./exercises/exercises.js";
import {start_navigation} from "./navigation.js";
import {start_painting} from "./picture/painting.js";
import {start_picture} from "./picture/picture.js";
import {startRace} from "./race.js";
import {start_theme} from "./theme.js";

const section = (id) => document.getElementById(id);

start_theme(document.querySelector("#theme"));
const starting = section("starting");
try {
  const engine = await loadEngine();
  const bench = start_bench(section("bench"), engine);
  start_exercises(section("exercises"), engine, bench);
  start_painting(section("picture"), engine, await start_picture(section("picture"), engine));
  startRace(section("race"), engine);
  starting.remove();
} catch (error) {
  starting.textContent = `The lab cannot start here: ${error.message}. It needs a browser with WebAssembly and SIMD, of 2021 or later.`;
  throw error;
}
start_navigation(document.querySelector("nav"));
