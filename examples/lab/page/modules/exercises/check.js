import {run_code} from "./sandbox.js";

// Finite differences of float64 hold about seven digits; a wrong term is off by far more.
const tolerance = 1e-5;

// What is wrong with an answer's form, or null.
function complaint_of({value, error}, {count, one}) {
  if (error) return error;
  const kind =
    count === 2 ? "two numbers in a list" : one ? `one number, or a list of ${count}` : `a list of ${count} numbers`;
  if (one && typeof value === "number") return null;
  if (!Array.isArray(value)) return `It gives ${value === undefined ? "nothing" : typeof value}; ${kind} should come.`;
  if (value.length !== count) return `It gives a list of ${value.length}; ${kind} should come.`;
  return value.every((entry) => typeof entry === "number")
    ? null
    : "It gives a list that holds something else than numbers.";
}

/**
 * Tries code on inputs. Promises {cases: [{title, fine, worst: {where, yours, wanted, error}}], complaint}: `worst` is the
 * element with the largest error relative to the input's largest gradient; `complaint` is a sentence where the code does
 * not give numbers at all. `run` runs code, as run_code() does.
 */
export async function check_answer({names, code, inputs, questions, engine, run = run_code}) {
  const asked = inputs.map((input) => questions(input, engine));
  let values;
  try {
    values = await run(
      names,
      code,
      asked.flat().map(({given}) => given),
    );
  } catch (error) {
    return {cases: [], complaint: error.message};
  }
  let next = 0;
  const cases = [];
  for (const [i, list] of asked.entries()) {
    const results = [];
    for (const question of list) {
      const answer = values[next++],
        complaint = complaint_of(answer, question);
      if (complaint) return {cases: [], complaint: `${inputs[i].title}: ${complaint}`};
      const numbers = typeof answer.value === "number" ? Array(question.count).fill(answer.value) : answer.value;
      results.push(...question.compare(numbers));
    }
    const scale = Math.max(1e-9, ...results.map(({wanted}) => Math.abs(wanted)));
    const errors = results.map((result) => ({
      ...result,
      error: Number.isFinite(result.yours) ? Math.abs(result.yours - result.wanted) / scale : Infinity,
    }));
    const worst = errors.reduce((a, b) => (b.error > a.error ? b : a));
    cases.push({title: inputs[i].title, fine: worst.error <= tolerance, worst});
  }
  return {cases, complaint: ""};
}
