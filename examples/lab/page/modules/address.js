// The page's address holds the part in view, the bench's situation, and what is raced: lab.html#bench?lesson=contrast,
// lab.html#bench?norm=group2&shape=2,4,2,2&x=... or lab.html#race?race=3,0.001. A teacher can send it.
import {affine_size, size_of, slider_stops} from "./axes.js";
import {can_eval, complete, largest_shape} from "./situation.js";

const numbers = (text) => text.split(",").map(Number);

/** The text after "?" for a situation that is no lesson's. */
export function encode(situation) {
  const {norm, groups, shape, x, dy, gamma, beta, eps, chosen} = situation;
  const parts = {norm: norm === "group" ? `group${groups}` : norm, shape, x, dy, gamma, beta, eps};
  const {running_mean, running_var} = situation;
  if (running_mean.some((value) => value !== 0) || running_var.some((value) => value !== 1))
    Object.assign(parts, {running_mean, running_var});
  if (situation.eval) parts.eval = 1;
  parts.at = `${chosen.of}${chosen.index}`;
  return Object.entries(parts)
    .map(([key, value]) => `${key}=${value}`)
    .join("&");
}

/** The situation that encode() wrote. Throws Error, with what is wrong, for a text that is none. */
export function decode(text) {
  const parts = Object.fromEntries(
    text.split("&").map((part) => [part.split("=")[0], part.slice(part.indexOf("=") + 1)]),
  );
  const shape = numbers(parts.shape ?? "");
  if (shape.length !== 4 || shape.some((size, d) => !Number.isInteger(size) || size < 1 || size > largest_shape[d])) {
    throw new Error(`shape is "${parts.shape}"; it must be four sizes of at most ${largest_shape}`);
  }
  const name = parts.norm ?? "";
  const group = name.match(/^group(\d)$/);
  const norm = group ? "group" : name,
    groups = group ? Number(group[1]) : undefined;
  const known =
    norm === "batch" || slider_stops(shape[1]).some((stop) => stop.norm === norm && (!group || stop.groups === groups));
  if (!known) throw new Error(`norm is "${name}", which is none for ${shape[1]} channels`);
  const list = (key, count, needed) => {
    if (parts[key] === undefined && !needed) return undefined;
    const values = numbers(parts[key] ?? "");
    if (values.length !== count || !values.every(Number.isFinite)) throw new Error(`${key} must be ${count} numbers`);
    return values;
  };
  const rows = affine_size({norm, shape}),
    count = size_of(shape);
  const [, of, index] = (parts.at ?? "x0").match(/^(x|gamma|beta)(\d+)$/) ?? [];
  const eps = Number(parts.eps ?? 1e-5);
  if (!(eps >= 1e-12 && eps <= 1e6)) throw new Error(`eps is "${parts.eps}"; it must be 1e-12 to 1e6`);
  return complete({
    norm,
    groups,
    shape,
    x: list("x", count, true),
    dy: list("dy", count),
    gamma: list("gamma", rows),
    beta: list("beta", rows),
    eps,
    eval: parts.eval === "1" && can_eval({norm}),
    running_mean: list("running_mean", shape[1]),
    running_var: list("running_var", shape[1]),
    chosen: of && Number(index) < (of === "x" ? count : rows) ? {of, index: Number(index)} : undefined,
  });
}

/** {part: "bench", situation: "lesson=contrast", race: "3,0.001"} of location.hash; "" for what it does not say. */
export function read_address() {
  const [part, ...rest] = decodeURIComponent(location.hash.slice(1)).split("?");
  const items = rest.join("?").split("&"), is_race = (item) => item.startsWith("race=");
  return {part, situation: items.filter((item) => !is_race(item)).join("&"), race: items.find(is_race)?.slice(5) ?? ""};
}

/** The address with some of these replaced. */
export function address_with(changes) {
  const {part, situation, race} = {...read_address(), ...changes};
  const items = [situation, race && `race=${race}`].filter((item) => item).join("&");
  return `#${part || "bench"}` + (items ? `?${items}` : "");
}

/** Replaces what the address says, without a step in the browser's history: {situation} or {race}. */
export function write_address(changes) {
  history.replaceState(null, "", address_with(changes));
}
