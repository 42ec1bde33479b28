// What an answer is tried on: shapes and numbers at which a wrong formula shows.
import {complete} from "../situation.js";

export const inputs = [
  {
    title: "the four numbers of the derivation",
    ...complete({norm: "instance", shape: [1, 1, 1, 4], x: [1, 3, 3, 9], dy: [1, 0, 0, 0], gamma: [3]}),
  },
  {
    title: "instance norm, rows of 4",
    ...complete({norm: "instance", shape: [2, 3, 1, 4], gamma: [2, -0.5, 1], beta: [1, 0, -1]}),
  },
  {
    title: "batch norm, three samples",
    ...complete({norm: "batch", shape: [3, 2, 3, 1], gamma: [0.5, 3], beta: [0, 2]}),
  },
  {
    title: "group norm, γ differs within S",
    ...complete({norm: "group", groups: 2, shape: [2, 4, 1, 3], gamma: [2, -1, 0.5, 3]}),
  },
  {
    title: "layer norm, a γ for every element",
    ...complete({norm: "layer", shape: [2, 2, 1, 3], gamma: [1, -2, 3, 0.5, 2, 1.5]}),
  },
  {
    title: "a plane that is constant",
    ...complete({norm: "instance", shape: [1, 2, 1, 3], x: [4, 4, 4, 1, 2, 6], dy: [1, 0, -2, 0.5, 1, 1]}),
  },
  {
    title: "a mean of a thousand deviations",
    ...complete({norm: "instance", shape: [1, 1, 2, 3], x: [1000, 1001, 1003, 999, 1002, 1001]}),
  },
  {title: "eps as large as the variance", ...complete({norm: "batch", shape: [2, 2, 1, 2], eps: 4, gamma: [2, 1]})},
  {
    title: "two elements in S",
    ...complete({norm: "instance", shape: [2, 1, 1, 2], x: [1, 3, -2, 5], dy: [1, 2, -1, 0.5], gamma: [2]}),
  },
];

/** The same with running statistics, where there are any. */
export const evaluated = inputs
  .filter(({norm}) => norm === "instance" || norm === "batch")
  .map((input) => ({
    ...input,
    eval: true,
    running_mean: input.gamma.map((_, c) => 0.5 - c),
    running_var: input.gamma.map((_, c) => 2 + 3 * c),
  }));
