// What takes long, beside the page: it gets a compiled engine first, then {id, name, arguments} for each call of a method of
// Calls, and answers {id, value} or {id, error}.
import {instantiate} from "./calls.js";

let calls = null;

addEventListener("message", async ({data}) => {
  if (data instanceof WebAssembly.Module) {
    calls = instantiate(data);
    return;
  }
  const {id, name, args} = data;
  try {
    postMessage({id, value: (await calls)[name](...args)});
  } catch (error) {
    postMessage({id, error: error.message});
  }
});
