// gesso's engine (examples/lab/engine, compiled to WebAssembly) as methods; for the page and for its worker. engine/*.h say
// what requests and answers hold. Whatever gesso refuses is an Error with gesso's own text.
import create_module from "lab-engine";

/** The engine in `compiled`, a WebAssembly.Module. */
export async function instantiate(compiled) {
  return new Calls(await create_module({
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(compiled, imports).then((instance) => done(instance, compiled));
      return {};
    },
  }));
}

class Calls {
  #module;
  #model = null;  // the one that is loaded

  constructor(module) {
    this.#module = module;
  }

  /** What function lab_NAME of engine/exports.cpp answers to a request: a text. */
  text(name, request) {
    const answer = this.#module.ccall("lab_" + name, "string", ["string"], [JSON.stringify(request)]);
    if (answer[0] !== "+") throw new Error(answer.slice(1));
    return answer.slice(1);
  }

  json(name, request) {
    return JSON.parse(this.text(name, request));
  }

  /** {y, statistics, mean, variance} of {pixels, shape, norm, groups, eps}. */
  normalize_picture({pixels, ...request}) {
    this.#put_pixels(pixels);
    const statistics = this.json("normalize_picture", request);
    return {y: this.#output(), ...statistics};
  }

  /** The painting of {model, pixels, height, width, strength, styleIndex}. */
  stylize({model, pixels, ...request}) {
    this.#load(model);
    this.#put_pixels(pixels);
    this.text("stylize", request);
    return this.#output();
  }

  /** [{name, mean, variance}] of {model, pixels, height, width}. */
  layer_statistics({model, pixels, ...request}) {
    this.#load(model);
    this.#put_pixels(pixels);
    return this.json("layer_statistics", request);
  }

  /** Begins a race (engine/race.h) of {pixels, ...}: the style picture and the photographs, one behind the other. */
  race_new({pixels, ...request}) {
    this.#put_pixels(pixels);
    this.text("race_new", request);
  }

  /** `count` steps more: {step, losses, pictures}; one picture of each of `lanes` networks. */
  race_step(count, lanes) {
    const seen = this.json("race_step", {count});
    const pictures = Array.from({length: lanes}, (_, lane) => {
      this.text("race_picture", {lane});
      return this.#output();
    });
    return {...seen, pictures};
  }

  #put_pixels(pixels) {
    const at = this.#module._lab_input(pixels.length);
    this.#module.HEAPF32.set(pixels, at / 4);
  }

  #output() {
    const at = this.#module._lab_output() / 4;
    return this.#module.HEAPF32.slice(at, at + this.#module._lab_output_size());
  }

  #load(model) {
    if (this.#model !== null && model.length === this.#model.length && model.every((byte, i) => byte === this.#model[i])) return;
    this.#model = null;
    const at = this.#module._lab_model(model.length);
    this.#module.HEAPU8.set(model, at);
    this.text("load_model", {});
    this.#model = model;
  }
}
