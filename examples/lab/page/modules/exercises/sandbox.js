// A reader's code runs in a worker: no page, no network (the page's content security policy holds there too), and an end
// after a second.

const time_limit = 1000;

/** The text of a worker that answers a list of inputs with a list of {value} or {error}. */
export const worker_source = (names, code) => `"use strict";
const sum = (list) => list.reduce((total, value) => total + value, 0);
const mean = (list) => sum(list) / list.length;
const answer = ({${names}}) => {
${/\breturn\b/.test(code) ? code : `return (${code}\n);`}
};
onmessage = ({data}) => {
  const values = [];
  for (const input of data) {
    try { values.push({value: answer(input)}); } catch (error) { values.push({error: String(error)}); }
  }
  try { postMessage(values); } catch { postMessage("It gives something that is no number and no list of numbers."); }
};`;

/**
 * Runs `code`, an expression or the body of a function, on every one of `inputs` (objects that hold `names`). The
 * promise gives a list of {value} or {error}. It is rejected, with a sentence, for code that cannot be read or does
 * not come to an end.
 */
export function run_code(names, code, inputs) {
  if (code.trim() === "") return Promise.reject(new Error("Write an expression, or statements with a return."));
  const address = URL.createObjectURL(new Blob([worker_source(names, code)], {type: "text/javascript"}));
  const worker = new Worker(address);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`It ran for ${time_limit / 1000} second without an end.`)),
      time_limit,
    );
    worker.onmessage = ({data}) => {
      clearTimeout(timer);
      if (typeof data === "string") reject(new Error(data));
      else resolve(data);
    };
    worker.onerror = (event) => {
      clearTimeout(timer);
      event.preventDefault();
      reject(new Error(event.message.replace(/^Uncaught /, "")));
    };
    worker.postMessage(inputs);
  }).finally(() => {
    worker.terminate();
    URL.revokeObjectURL(address);
  });
}
