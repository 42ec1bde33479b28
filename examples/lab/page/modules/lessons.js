// The bench's situations to begin with, each with two sentences on what to look at.
import {complete} from "./situation.js";

const sample = [1, 2, 4, 5, -2, 0, 0, 2, 3, 3, 1, 5, -1, 1, 2, -2];
const upstream = [1, 0, -1, 0.5, 0.5, 1, 0, -0.5, 0, 2, -1, 1, 1, -1, 0.5, 0];

export const lessons = [
  {
    id: "contrast",
    title: "Contrast",
    words:
      "Sample 1 is sample 0 in fog: 0.3 x + 5. Instance norm makes nearly the same x̂ of both, and so the same y; " +
      "turn batch norm on, and the fog is still there.",
    situation: complete({
      norm: "instance",
      shape: [2, 4, 2, 2],
      x: [...sample, ...sample.map((v) => Number((0.3 * v + 5).toFixed(2)))],
      dy: [...upstream, ...upstream],
      gamma: [2, 1, 1, 0.5],
      beta: [0, 1, 0, -1],
      chosen: {of: "x", index: 1},
    }),
  },
  {
    id: "one",
    title: "A batch of one",
    words:
      "With one sample, batch norm shares nothing: move the slider to instance, and no number of y or dx changes. " +
      "Switch to evaluation, and the running statistics, which other batches left, decide instead.",
    situation: complete({
      norm: "batch",
      shape: [1, 4, 2, 2],
      x: sample,
      dy: upstream,
      gamma: [2, 1, 1, 0.5],
      beta: [0, 1, 0, -1],
      running_mean: [1, 0.5, 2, 0],
      running_var: [4, 1, 9, 2],
      chosen: {of: "x", index: 2},
    }),
  },
  {
    id: "constant",
    title: "A constant plane",
    words:
      "Channel 0 is 4 everywhere: its variance is 0, x̂ is 0 and y is β, but r = 1 / √eps is 316, and dx is about 300 times as " +
      "long as g. Drag one number a little, and see how fast both come down.",
    situation: complete({
      norm: "instance",
      shape: [1, 2, 2, 3],
      x: [4, 4, 4, 4, 4, 4, 1, 3, 3, 9, 5, 3],
      dy: [1, 0, -1, 0.5, 0, 0.5, 1, 0, 0, 0, -1, 0.5],
      gamma: [1, 3],
      beta: [2, 0],
      chosen: {of: "x", index: 0},
    }),
  },
  {
    id: "eps",
    title: "When eps matters",
    words:
      "The variance is 0.0002 and eps 0.001, so x̂ stays far below a deviation of 1, and the x̂ term takes off only a part of " +
      "what lies along x̂: 74 % of |r g|² are left in dx. Move eps down to 0.00001, and 6 % are.",
    situation: complete({
      norm: "instance",
      shape: [1, 1, 2, 3],
      x: [0.5, 0.51, 0.49, 0.52, 0.5, 0.48],
      dy: [0, 1, -0.5, 1, 0, -1],
      eps: 0.001,
      chosen: {of: "x", index: 3},
    }),
  },
  {
    id: "outlier",
    title: "An outlier in the batch",
    words:
      "One number of sample 2 is 60, and batch norm presses all others of its channel together: their x̂ hardly differ, and " +
      "their dx is small. Move the slider to instance: samples 0 and 1 have their contrast back.",
    situation: complete({
      norm: "batch",
      shape: [3, 2, 2, 2],
      x: [1, 2, 4, 5, -2, 0, 0, 2, 2, 0, 3, 1, 1, -1, 0, 2, 60, 1, 3, 2, 0, 1, -1, -2],
      dy: [1, 0, -1, 0.5, 0.5, 1, 0, -0.5, 0, 1, -1, 1, 1, -1, 0.5, 0, 0, 0.5, 1, -1, 0, 0.5, -1, 1],
      chosen: {of: "x", index: 16},
    }),
  },
];
