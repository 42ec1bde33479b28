// A worker of its own for what takes long.
import program from "lab-worker";

/** Calls methods of Calls in a worker that starts with the first call. `compiled` is the engine's WebAssembly.Module. */
export class Background {
  #compiled;
  #worker = null;
  #waiting = new Map();
  #next = 0;

  constructor(compiled) {
    this.#compiled = compiled;
  }

  /** A promise of what method `name` returns; rejected with gesso's own text. */
  call(name, ...args) {
    this.#worker ??= this.#start();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {resolve, reject});
      this.#worker.postMessage({id, name, args});
    });
  }

  #start() {
    const address = URL.createObjectURL(new Blob([program], {type: "text/javascript"}));
    const worker = new Worker(address);
    worker.onmessage = ({data: {id, value, error}}) => {
      const {resolve, reject} = this.#waiting.get(id);
      this.#waiting.delete(id);
      error === undefined ? resolve(value) : reject(new Error(error));
    };
    worker.postMessage(this.#compiled);
    return worker;
  }
}
