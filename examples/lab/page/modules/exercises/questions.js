// An answer of the reader is asked once for every set S of an input (or for every gamma). A question is
//
//     given   what the answer is called with
//     count   how many numbers it must give
//     one     true where one number may stand for all of them
//     compare(values)  -> [{where, yours, wanted}]
import {affine_row, coordinates, elements_of, statistics} from "../axes.js";
import {request_of} from "../situation.js";
import {rms_difference, rms_inverse} from "./rms_norm.js";

/** The lists of one set S, in the order of its elements. */
function of_set(input, numbers, s) {
  const elements = elements_of(input, s),
    pick = (list) => elements.map((i) => list[i]);
  const gamma = elements.map((i) => input.gamma[affine_row(input, i)]),
    dy = pick(input.dy);
  return {
    elements,
    x: pick(input.x),
    dy,
    gamma,
    g: dy.map((value, k) => gamma[k] * value),
    mu: numbers.mean[s],
    r: numbers.inv_std[s],
    x_hat: pick(numbers.x_hat),
    m: elements.length,
    eps: input.eps,
  };
}

const every_set = (input, make) => Array.from({length: statistics(input)}, (_, s) => make(s));
const where = (input, i) => `[${coordinates(input.shape, i).join(", ")}]`;

/** x-hat, held to the layer's own. */
export function x_hat_questions(input, engine) {
  const numbers = engine.bench(request_of(input));
  return every_set(input, (s) => {
    const {elements, x, mu, r} = of_set(input, numbers, s);
    return {
      given: {x, mu, r},
      count: elements.length,
      compare: (values) =>
        elements.map((i, k) => ({where: where(input, i), yours: values[k], wanted: numbers.x_hat[i]})),
    };
  });
}

/** dgamma and dbeta of every gamma, held to finite differences. */
export function affine_questions(input, engine) {
  const numbers = engine.bench(request_of(input)),
    truth = engine.checkBackward(request_of(input));
  return input.gamma.map((_, row) => {
    const users = input.x.map((_, i) => i).filter((i) => affine_row(input, i) === row);
    return {
      given: {dy: users.map((i) => input.dy[i]), x_hat: users.map((i) => numbers.x_hat[i])},
      count: 2,
      compare: ([dgamma, dbeta]) => [
        {where: `dγ ${row}`, yours: dgamma, wanted: truth.dgamma[row]},
        {where: `dβ ${row}`, yours: dbeta, wanted: truth.dbeta[row]},
      ],
    };
  });
}

/** One term of dx ("upstream", "mean" or "x_hat") by the reader, the others by gesso; their sum is held to finite differences. */
export const term_questions = (term, names, one) => (input, engine) => {
  const numbers = engine.bench(request_of(input)),
    truth = engine.checkBackward(request_of(input));
  return every_set(input, (s) => {
    const set = of_set(input, numbers, s),
      rest = Object.keys(numbers.dx_terms).filter((name) => name !== term);
    return {
      given: Object.fromEntries(names.map((name) => [name, set[name]])),
      count: set.m,
      one,
      compare: (values) =>
        set.elements.map((i, k) => ({
          where: where(input, i),
          wanted: truth.dx[i],
          yours: values[k] + rest.reduce((sum, name) => sum + numbers.dx_terms[name][i], 0),
        })),
    };
  });
};

/** All of dx by the reader, held to finite differences. */
export const dx_questions = (names) => (input, engine) => {
  const numbers = engine.bench(request_of(input)),
    truth = engine.checkBackward(request_of(input));
  return every_set(input, (s) => {
    const set = of_set(input, numbers, s);
    // Where one gamma serves S: S's own part of its gradient, which is all of it in batch norm.
    Object.assign(set, {
      gamma_S: set.gamma[0],
      dbeta: set.dy.reduce((sum, v) => sum + v, 0),
      dgamma: set.dy.reduce((sum, v, k) => sum + v * set.x_hat[k], 0),
    });
    return {
      given: Object.fromEntries(names.map((name) => [name, set[name]])),
      count: set.m,
      compare: (values) =>
        set.elements.map((i, k) => ({where: where(input, i), yours: values[k], wanted: truth.dx[i]})),
    };
  });
};

/** dx of RMS norm over the input's sets, held to differences of its forward (rms_norm.js). */
export function rms_questions(input) {
  return every_set(input, (s) => {
    const set = of_set(input, {mean: [], inv_std: [], x_hat: []}, s),
      r = rms_inverse(set.x, input.eps);
    const truth = rms_difference(set.x, set.g, input.eps);
    return {
      given: {x: set.x, g: set.g, r, m: set.m},
      count: set.m,
      compare: (values) => set.elements.map((i, k) => ({where: where(input, i), yours: values[k], wanted: truth[k]})),
    };
  });
}
