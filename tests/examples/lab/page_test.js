// What the lab's page says must be so, by the engine that computes on it; run by check_page, under Node.
import {decode, encode} from "../../../examples/lab/page/modules/address.js";
import {affine_row, elements_of, slider_stops, statistics} from "../../../examples/lab/page/modules/axes.js";
import {loadEngine} from "../../../examples/lab/page/modules/engine.js";
import {check_answer} from "../../../examples/lab/page/modules/exercises/check.js";
import {planted_input} from "../../../examples/lab/page/modules/exercises/planted_input.js";
import {planted_notes} from "../../../examples/lab/page/modules/exercises/planted_notes.js";
import {predictions} from "../../../examples/lab/page/modules/exercises/predictions.js";
import {worker_source} from "../../../examples/lab/page/modules/exercises/sandbox.js";
import {terms} from "../../../examples/lab/page/modules/exercises/terms.js";
import {lessons} from "../../../examples/lab/page/modules/lessons.js";
import {complete, request_of, with_norm, with_shape} from "../../../examples/lab/page/modules/situation.js";

let checks = 0,
  failures = 0;
function check(holds, what) {
  ++checks;
  if (holds) return;
  ++failures;
  console.error(`error: ${what}`);
}
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const engine = await loadEngine();

// A worker's program, without a worker.
async function run(names, code, inputs) {
  let posted = null;
  const worker = {};
  new Function("self", "postMessage", worker_source(names, code).replace("onmessage =", "self.onmessage ="))(
    worker,
    (data) => {
      posted = data;
    },
  );
  worker.onmessage({data: inputs});
  if (typeof posted === "string") throw new Error(posted);
  return posted;
}

// Each question has one answer, by what the engine computes.
for (const {id, situations, choices, show, reveal, hints} of predictions) {
  const results = situations.map((situation) => {
    try {
      return engine.bench(request_of(situation));
    } catch (error) {
      return {refusal: error.message};
    }
  });
  check(
    choices.filter(({holds}) => holds(results)).length === 1,
    `${id} has ${choices.filter(({holds}) => holds(results)).length} right choices`,
  );
  check(
    hints.length === 2 && show(results).length > 0 && reveal(results).length > 0,
    `${id} has two hints, and something to look at`,
  );
}

// Each term: what the exercise begins with is wrong, the solution right, on every input that it is tried on.
for (const task of terms) {
  const begun = await check_answer({...task, code: task.start, engine, run}),
    solved = await check_answer({...task, code: task.answer, engine, run});
  check(
    begun.complaint === "" && begun.cases.some(({fine}) => !fine),
    `${task.id}: what it begins with is right already, or none: ${begun.complaint}`,
  );
  check(
    solved.complaint === "" && solved.cases.length >= 5 && solved.cases.every(({fine}) => fine),
    `${task.id}: the solution is refused: ${solved.complaint} ${JSON.stringify(solved.cases.filter(({fine}) => !fine))}`,
  );
  check(task.hints.length === 2, `${task.id} has two hints`);
}
for (const [code, complaint] of [
  ["undefined_name", "not defined"],
  ["[1]", "a list of 1"],
  ["'x'", "gives string"],
  ["x.map(() => 'a')", "something else"],
  ["null", "gives object"],
]) {
  const answer = await check_answer({...terms[0], code, engine, run});
  check(answer.complaint.includes(complaint), `${code} is answered by "${answer.complaint}"`);
}

// Planted errors: some number comes out wrong, the line is in the listing, and there is something to say about it.
const mutants = engine.mutants(),
  right = engine.bench(request_of(planted_input));
check(mutants.length >= 3, `${mutants.length} planted errors`);
for (const {hidden, line, listing, numbers} of mutants) {
  const wrong = numbers(request_of(planted_input));
  const apart = ["y", "dx", "dgamma", "dbeta"].filter((key) =>
    right[key].some((value, i) => !(Math.abs(value - wrong[key][i]) < 1e-6)),
  );
  check(apart.length > 0, `"${hidden}" changes no number of its input`);
  check(line >= 1 && line <= listing.split("\n").length, `"${hidden}" is said to be in line ${line}`);
  check(planted_notes[hidden]?.hints.length === 2, `"${hidden}" has no hints`);
}

// The page's sets S are the engine's, whatever the shape, and lessons are no errors.
for (const shape of [
  [2, 4, 2, 2],
  [3, 4, 1, 3],
  [1, 3, 2, 1],
]) {
  for (const layer of [...slider_stops(shape[1]), {norm: "batch"}]) {
    for (const evaluating of layer.norm === "batch" || layer.norm === "instance" ? [false, true] : [false]) {
      const situation = complete({...layer, shape, eval: evaluating}),
        request = request_of(situation),
        numbers = engine.bench(request);
      const name = `${layer.norm} norm of ${shape}${evaluating ? " in evaluation" : ""}`;
      check(numbers.statistics.length === statistics(situation), `${name}: ${statistics(situation)} sets`);
      for (let s = 0; s < statistics(situation); ++s) {
        check(same(engine.jacobian(request, s).elements, elements_of(situation, s)), `${name}: set ${s}`);
      }
      const dbeta = Array(numbers.beta.length).fill(0);
      situation.dy.forEach((value, i) => {
        dbeta[affine_row(situation, i)] += value;
      });
      check(
        dbeta.every((value, row) => Math.abs(value - numbers.dbeta[row]) < 1e-9),
        `${name}: who shares a beta`,
      );
      check(same(decode(encode(situation)), situation), `${name}: its address`);
    }
  }
}
for (const {id, situation} of lessons) {
  check(engine.bench(request_of(situation)).y.length === situation.x.length, `lesson ${id}`);
  check(same(decode(encode(situation)), situation), `the address of lesson ${id}`);
}
// Numbers that texts of the page name.
const left_in_dx = (situation) => {
  const {dx, dx_terms} = engine.bench(request_of(situation)),
    square = (list) => list.reduce((sum, v) => sum + v * v, 0);
  return square(dx) / square(dx_terms.upstream);
};
const eps_lesson = lessons.find(({id}) => id === "eps").situation;
check(Math.round(100 * left_in_dx(eps_lesson)) === 74, "74 % are left in dx");
check(Math.round(100 * left_in_dx({...eps_lesson, eps: 1e-5})) === 6, "6 % are left in dx");
const outlier = predictions.find(({id}) => id === "predict-outlier").situations[0];
const ordinary = engine.bench(request_of(outlier)).y.filter((_, i) => i !== 8);
check(Math.abs(Math.max(...ordinary) - Math.min(...ordinary) - 3.7) < 0.05, "without the outlier y spreads over 3.7");
check(
  with_shape(lessons[0].situation, [3, 4, 2, 2])
    .x.slice(0, 32)
    .every((v, i) => v === lessons[0].situation.x[i]),
  "numbers keep their places in a larger shape",
);
check(
  with_norm(lessons[0].situation, {norm: "layer", groups: 1}).gamma.length === 16,
  "layer norm has a gamma for each element of a sample",
);
for (const [address, complaint] of [
  ["norm=instance&shape=9,1,1,1&x=1", "shape"],
  ["norm=none&shape=1,1,1,2&x=1,2", "norm"],
  ["norm=group3&shape=1,4,1,1&x=1,2,3,4", "norm"],
  ["norm=batch&shape=1,1,1,2&x=1,a", "x must"],
  ["norm=batch&shape=1,1,1,2&x=1,2&eps=-1", "eps"],
  ["%%%", "shape"],
]) {
  let said = "nothing";
  try {
    decode(address);
  } catch (error) {
    said = error.message;
  }
  check(said.includes(complaint), `the address ${address} is answered by: ${said}`);
}

console.log(`${checks} checks of the lab's page, ${failures} failed`);
process.exit(failures > 0 ? 1 : 0);
