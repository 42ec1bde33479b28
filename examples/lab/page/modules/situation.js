// A situation is all that the bench's numbers depend on: {norm, groups, shape, x, dy, gamma, beta, eps, eval,
// running_mean, running_var}, and what the reader points at, `chosen`: {of: "x" | "gamma" | "beta", index}.
import {affine_size, size_of, slider_stops} from "./axes.js";

export const largest_shape = [3, 4, 4, 4];

// Numbers for elements that a larger shape adds: between -3 and 3 with one digit, no two neighbours alike.
const filler = (i) => (((i * 37 + 11) % 61) - 30) / 10;

/** A situation with everything that `given` leaves out. */
export function complete(given) {
  const shape = given.shape,
    channels = shape[1],
    count = size_of(shape);
  const norm = given.norm ?? "instance";
  const groups = norm === "group" ? (given.groups ?? 1) : norm === "layer" ? 1 : channels;
  const rows = affine_size({norm, shape});
  return {
    norm,
    groups,
    shape,
    x: given.x ?? Array.from({length: count}, (_, i) => filler(i)),
    dy: given.dy ?? Array.from({length: count}, (_, i) => filler(3 * i + 5) / 2),
    gamma: given.gamma ?? Array(rows).fill(1),
    beta: given.beta ?? Array(rows).fill(0),
    eps: given.eps ?? 1e-5,
    eval: given.eval ?? false,
    running_mean: given.running_mean ?? Array(channels).fill(0),
    running_var: given.running_var ?? Array(channels).fill(1),
    chosen: given.chosen ?? {of: "x", index: 0},
  };
}

/** Does the layer keep running statistics? Group and layer norm do not. */
export const can_eval = ({norm}) => norm === "instance" || norm === "batch";

// A gamma for each channel becomes one for each element, or the other way round.
function spread_affine(values, from, to) {
  const inner = to.shape[2] * to.shape[3],
    old_inner = from.norm === "layer" ? from.shape[2] * from.shape[3] : 1;
  const of_channel = (c) => values[Math.min(c, from.shape[1] - 1) * old_inner];
  return Array.from({length: affine_size(to)}, (_, row) =>
    of_channel(to.norm === "layer" ? Math.floor(row / inner) : row),
  );
}

/** The same numbers under another norm. */
export function with_norm(situation, {norm, groups}) {
  if (norm === situation.norm && groups === situation.groups) return situation;
  const next = {...situation, norm, groups: norm === "batch" ? situation.shape[1] : groups};
  const same_rows = (norm === "layer") === (situation.norm === "layer");
  next.gamma = same_rows ? situation.gamma : spread_affine(situation.gamma, situation, next);
  next.beta = same_rows ? situation.beta : spread_affine(situation.beta, situation, next);
  next.eval = situation.eval && can_eval(next);
  if (next.chosen.of !== "x" && !same_rows) next.chosen = {of: "x", index: 0};
  return next;
}

/** Another shape: numbers stay at their place (n, c, h, w); new places are filled. */
export function with_shape(situation, shape) {
  const moved = (values, shift) => {
    const result = [],
      [, C, H, W] = situation.shape;
    for (let n = 0; n < shape[0]; ++n)
      for (let c = 0; c < shape[1]; ++c)
        for (let h = 0; h < shape[2]; ++h)
          for (let w = 0; w < shape[3]; ++w) {
            const inside = n < situation.shape[0] && c < C && h < H && w < W;
            result.push(inside ? values[((n * C + c) * H + h) * W + w] : filler(result.length + shift));
          }
    return result;
  };
  const by_channel = (values, rest) => Array.from({length: shape[1]}, (_, c) => values[c] ?? rest);
  const stops = slider_stops(shape[1]);
  const kept =
    situation.norm === "batch"
      ? {norm: "batch"}
      : (stops.find(
          (stop) => stop.norm === situation.norm && (stop.norm !== "group" || stop.groups === situation.groups),
        ) ?? stops[0]);
  const layer = {norm: kept.norm, shape};
  return complete({
    ...kept,
    shape,
    x: moved(situation.x, 0),
    dy: moved(situation.dy, 7),
    gamma: spread_affine(situation.gamma, situation, layer),
    beta: spread_affine(situation.beta, situation, layer),
    eps: situation.eps,
    eval: situation.eval && can_eval(kept),
    running_mean: by_channel(situation.running_mean, 0),
    running_var: by_channel(situation.running_var, 1),
  });
}

/** One number changed; `list` is "x", "dy", "gamma", "beta", "running_mean" or "running_var". */
export function with_number(situation, list, index, value) {
  const values = situation[list].slice();
  values[index] = value;
  return {...situation, [list]: values};
}

/** What the engine is asked. */
export function request_of({
  norm,
  groups,
  shape,
  x,
  dy,
  gamma,
  beta,
  eps,
  eval: evaluating,
  running_mean,
  running_var,
}) {
  return {norm, groups, shape, x, dy, gamma, beta, eps, eval: evaluating, running_mean, running_var};
}
