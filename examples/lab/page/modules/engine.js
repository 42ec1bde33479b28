// The engine for the page: numbers computed by gesso. engine/*.h say what a request is and what the answers hold; what gesso
// refuses is an Error with gesso's own text.
import packed from "lab-engine.wasm.gz";
import {Background} from "./background.js";
import {instantiate} from "./calls.js";

/** Compiles the engine, once for a page. From then on it is `gesso` in the browser's console, too. */
export async function loadEngine() {
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const compiled = await WebAssembly.compile(await new Response(unpacked).arrayBuffer());
  return globalThis.gesso = new Engine(compiled, await instantiate(compiled));
}

class Engine {
  #calls;
  #background;
  #track;

  constructor(compiled, calls) {
    this.#calls = calls;
    this.#background = new Background(compiled);
    this.#track = new Background(compiled);
  }

  // The bench (engine/bench.h).

  /** The text that norm-lab --json prints for the same numbers. */
  benchText(request) {
    return this.#calls.text("bench", request);
  }

  /** The same as an object. */
  bench(request) {
    return this.#calls.json("bench", request);
  }

  /** How x moves x-hat among the elements that share statistic number `statistic`: {elements, matrix}. */
  jacobian(request, statistic) {
    return this.#calls.json("jacobian", {...request, statistic});
  }

  /** One gradient beside its finite difference. `of` is "x", "gamma" or "beta". */
  difference(request, of, index) {
    return this.#calls.json("difference", {...request, of, index});
  }

  /** {dx, dgamma, dbeta} by finite differences of the forward. */
  checkBackward(request) {
    return this.#calls.json("check_backward", request);
  }

  // Planted errors (engine/planted_errors.h).

  /** [{name, hidden, listing, line, numbers(request)}]: kernels with one wrong line each, and what they compute. */
  mutants() {
    return this.#calls.json("mutants", {}).map((mutant, i) => ({
      ...mutant,
      name: `planted error ${i + 1}`,
      numbers: (request) => this.#calls.json("mutant_numbers", {...request, mutant: i}),
    }));
  }

  // Pictures (engine/picture.h).

  /** {y, statistics, mean, variance} of {pixels, shape, norm, groups, eps}. */
  normalizePicture(request) {
    return this.#calls.normalize_picture(request);
  }

  /** A promise of the painting of {model, pixels, height, width, strength, styleIndex}; `model` is the bytes of a file. */
  stylize(request) {
    return this.#background.call("stylize", request);
  }

  /** A promise of [{name, mean, variance}], what reaches each normalization, of {model, pixels, height, width}. */
  layerStatistics(request) {
    return this.#background.call("layer_statistics", request);
  }

  // The race (engine/race.h), in a worker of its own.

  /** A promise that a race has begun: {pixels, seed, steps, norms, learning_rate, ...}. The last one is over. */
  raceNew(request) {
    return this.#track.call("race_new", request);
  }

  /** A promise of {step, losses: {norm: [...]}, pictures: [...]} after `count` steps more of each of `lanes` networks. */
  raceStep(count, lanes) {
    return this.#track.call("race_step", count, lanes);
  }
}
