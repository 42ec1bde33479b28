// Questions whose answer the engine computes. `situations` are run; a choice holds(results) or not, and exactly one
// of each question does; show(results) comes with the question, reveal(results) after it.
import {medium} from "../format.js";
import {complete} from "../situation.js";

const largest = (values) => Math.max(...values.map(Math.abs));
const apart = (a, b) => largest(a.map((value, i) => value - b[i]));
const length = (values) => Math.hypot(...values);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const spread = (values) => Math.max(...values) - Math.min(...values);

const plane = [1, 2, 4, 5],
  row = [1, 1, 1, 4];
const brighter = plane.map((v) => 3 * v + 10);
const plain = complete({norm: "instance", shape: row, x: plane, dy: [1, 0, 0, 0]});
const bright = complete({norm: "instance", shape: row, x: brighter, dy: [1, 0, 0, 0]});
const stretched = complete({norm: "instance", shape: row, x: plane.map((v) => 10 * v), dy: [1, 0, 0, 0]});

const outlier = complete({
  norm: "batch",
  shape: [3, 1, 2, 2],
  x: [1, 2, 4, 5, 2, 0, 3, 1, 60, 1, 3, 2],
  dy: [1, 0, -1, 0.5, 0, 1, -1, 1, 0, 0.5, 1, -1],
});
const without_outlier = complete({...outlier, x: outlier.x.map((v) => (v === 60 ? 2 : v))});
const ordinary = (values) => values.filter((_, i) => i !== 8);

const family_x = [1, 2, 3, 11, 12, 16, 2, 8, 5, 20, 14, 17];
const [as_layer, as_instance, as_batch] = ["layer", "instance", "batch"].map((norm) =>
  complete({norm, shape: [2, 2, 1, 3], x: family_x}),
);
const family = [as_layer, as_batch, as_instance];
const letters = ["A", "B", "C"];

export const predictions = [
  {
    id: "predict-contrast",
    title: "More contrast",
    situations: [plain, bright],
    code: ["plane", "inverse_std"],
    question:
      "A plane is made brighter, with more contrast: 3 x + 10 in place of x. Instance norm follows, γ = 1, β = 0. What becomes of y?",
    show: () => [
      {label: "x", values: plane, shape: row},
      {label: "3 x + 10", values: brighter, shape: row},
    ],
    choices: [
      {
        text: "3 y + 10",
        holds: ([a, b]) =>
          apart(
            b.y,
            a.y.map((y) => 3 * y + 10),
          ) < 1e-3,
      },
      {
        text: "3 y",
        holds: ([a, b]) =>
          apart(
            b.y,
            a.y.map((y) => 3 * y),
          ) < 1e-3,
      },
      {
        text: "y + 10",
        holds: ([a, b]) =>
          apart(
            b.y,
            a.y.map((y) => y + 10),
          ) < 1e-3,
      },
      {text: "It stays as it is, but for what eps does", holds: ([a, b]) => apart(a.y, b.y) < 1e-3},
    ],
    reveal: ([a, b]) => [
      {label: "y of x", values: a.y, shape: row},
      {label: "y of 3 x + 10", values: b.y, shape: row},
    ],
    why: "The mean takes the 10 away, the deviation the 3. eps weighs a little less against the larger variance, which is all that is left of the change.",
    hints: ["What does the mean become, what the deviation?", "(3 x + 10 − (3 μ + 10)) / (3 σ): what cancels?"],
  },
  {
    id: "predict-one",
    title: "A batch of one",
    code: ["axes", "plain_forward"],
    situations: [
      complete({norm: "instance", shape: [1, 2, 1, 3], x: [1, 2, 6, -1, 0, 4]}),
      complete({norm: "batch", shape: [1, 2, 1, 3], x: [1, 2, 6, -1, 0, 4]}),
    ],
    question: "Batch norm in training is given a single sample. How does its y compare with that of instance norm?",
    show: ([a]) => [{label: "x", values: a.x, shape: [1, 2, 1, 3]}],
    choices: [
      {text: "It is the same, to the last digit", holds: ([a, b]) => !b.refusal && apart(a.y, b.y) === 0},
      {text: "Both channels get the same mean, so it differs", holds: ([a, b]) => !b.refusal && apart(a.y, b.y) > 1e-6},
      {text: "Batch norm needs two samples and refuses", holds: ([, b]) => Boolean(b.refusal)},
    ],
    reveal: ([a, b]) => [
      {label: "instance norm's y", values: a.y, shape: [1, 2, 1, 3]},
      {label: "batch norm's y", values: b.y, shape: [1, 2, 1, 3]},
    ],
    why: "A channel of all samples is a channel of the one sample: the same sets S, the same numbers. They part in evaluation, where batch norm takes its running statistics.",
    hints: ["Write down the sets S of both for N = 1.", "What does “all samples” mean when there is one?"],
  },
  {
    id: "predict-value",
    title: "One value per channel",
    code: ["write_y"],
    situations: [complete({norm: "batch", shape: [1, 3, 1, 1], x: [1, 2, 6]})],
    question:
      "Again one sample, now with planes of one element, as behind a global average pooling. Batch norm in training, β = 0. What comes out?",
    show: () => [{label: "x", values: [1, 2, 6], shape: [1, 3, 1, 1]}],
    choices: [
      {text: "0 in every channel, without a word", holds: ([a]) => !a.refusal && largest(a.y) === 0},
      {text: "NaN, as 0 is divided by 0", holds: ([a]) => !a.refusal && a.y.some(Number.isNaN)},
      {text: "An error", holds: ([a]) => Boolean(a.refusal)},
    ],
    reveal: ([a]) => [a.refusal ? `The layer says: ${a.refusal}` : {label: "y", values: a.y, shape: [1, 3, 1, 1]}],
    why: "One value is its own mean: x̂ would be 0 whatever x is, and dx 0 too. A network that trains on this learns nothing, so the layer says so.",
    hints: ["What are μ and v of one number?", "Would anybody notice, if y were silently β?"],
  },
  {
    id: "predict-constant",
    title: "A constant plane",
    code: ["inverse_std", "write_dx"],
    situations: [complete({norm: "instance", shape: row, x: [4, 4, 4, 4], dy: [1, 0, 0, 0]})],
    question: "All four numbers are 4, dy = (1, 0, 0, 0), γ = 1, eps = 0.00001. How long is dx? (dy has length 1.)",
    show: () => [
      {label: "x", values: [4, 4, 4, 4], shape: row},
      {label: "dy", values: [1, 0, 0, 0], shape: row},
    ],
    choices: [
      {text: "0: a constant has nothing to learn from", holds: ([a]) => length(a.dx) < 1e-3},
      {text: "About 1", holds: ([a]) => length(a.dx) > 0.3 && length(a.dx) < 3},
      {text: "About 270", holds: ([a]) => length(a.dx) > 250 && length(a.dx) < 290},
      {text: "Infinite: 0 is divided by 0", holds: ([a]) => !Number.isFinite(length(a.dx))},
    ],
    reveal: ([a]) => [
      {label: "x̂", values: a.x_hat, shape: row},
      {label: "dx", values: a.dx, shape: row},
    ],
    why: "v is 0, so r = 1 / √eps = 316; x̂ is 0 and its term vanishes. The mean term takes a quarter of |r g|², and 316 · 0.866 = 274 are left. Flat planes can make gradients explode.",
    hints: ["Compute r first.", "dx = r (g − mean(g)), since x̂ = 0."],
  },
  {
    id: "predict-eps",
    title: "A large eps",
    code: ["inverse_std"],
    situations: [complete({norm: "instance", shape: row, x: plane, eps: 100})],
    question: "eps is 100. The variance of x is 2.5, γ = 1. What is the variance of y?",
    show: () => [{label: "x", values: plane, shape: row}],
    choices: [
      {text: "1, as always", holds: ([a]) => Math.abs(length(a.y) ** 2 / 4 - 1) < 0.01},
      {text: "About 0.024", holds: ([a]) => Math.abs(length(a.y) ** 2 / 4 - 0.0244) < 0.001},
      {text: "2.5, as that of x", holds: ([a]) => Math.abs(length(a.y) ** 2 / 4 - 2.5) < 0.01},
      {text: "100", holds: ([a]) => Math.abs(length(a.y) ** 2 / 4 - 100) < 1},
    ],
    reveal: ([a]) => [{label: "y", values: a.y, shape: row}, `Its variance is ${medium(length(a.y) ** 2 / 4)}.`],
    why: "mean(x̂²) = v / (v + eps) = 2.5 / 102.5. With a large eps the layer hardly normalizes; it divides by about √eps.",
    hints: ["x̂ = (x − μ) r, so its variance is v r².", "r² = 1 / (v + eps)."],
  },
  {
    id: "predict-sum",
    title: "The sum of dx",
    code: ["dx_terms", "write_dx"],
    situations: [complete({norm: "instance", shape: row, x: [1, 3, 3, 9], dy: [1, 2, 0, 4], gamma: [3]})],
    question: "dy = (1, 2, 0, 4), γ = 3. What is the sum of dx over S?",
    show: () => [
      {label: "x", values: [1, 3, 3, 9], shape: row},
      {label: "dy", values: [1, 2, 0, 4], shape: row},
    ],
    choices: [
      {text: "7, the sum of dy", holds: ([a]) => Math.abs(sum(a.dx) - 7) < 1e-6},
      {text: "21, the sum of γ dy", holds: ([a]) => Math.abs(sum(a.dx) - 21) < 1e-6},
      {text: "0", holds: ([a]) => Math.abs(sum(a.dx)) < 1e-9},
    ],
    reveal: ([a]) => [{label: "dx", values: a.dx, shape: row}, `Their sum is ${medium(sum(a.dx))}.`],
    why: "Equation (14): adding a constant to all of S changes no x̂, so no gradient can ask for it. The bias of a convolution before such a layer gets exactly this sum as its gradient.",
    hints: [
      "If all of S moves by the same amount, how does y move?",
      "The sum of dx is the derivative of the loss by exactly that move.",
    ],
  },
  {
    id: "predict-stretch",
    title: "Ten times the weights",
    code: ["upstream_term", "write_dx"],
    situations: [plain, stretched],
    question: "The weights before the layer grow tenfold, so x does too. dy stays. What becomes of dx?",
    show: () => [
      {label: "x", values: plane, shape: row},
      {label: "10 x", values: stretched.x, shape: row},
    ],
    choices: [
      {text: "Ten times as long", holds: ([a, b]) => Math.abs(length(b.dx) / length(a.dx) - 10) < 0.01},
      {text: "The same", holds: ([a, b]) => Math.abs(length(b.dx) / length(a.dx) - 1) < 0.01},
      {text: "A tenth", holds: ([a, b]) => Math.abs(length(b.dx) / length(a.dx) - 0.1) < 0.001},
      {text: "A hundredth", holds: ([a, b]) => Math.abs(length(b.dx) / length(a.dx) - 0.01) < 0.001},
    ],
    reveal: ([a, b]) => [
      {label: "dx at x", values: a.dx, shape: row},
      {label: "dx at 10 x", values: b.dx, shape: row},
    ],
    why: "x̂ is as before, r is a tenth, and every term of (13) has the factor r. Layers with large weights learn slowly behind a normalization.",
    hints: ["Which quantities of (13) change?", "Only r does."],
  },
  {
    id: "predict-outlier",
    title: "An outlier in the batch",
    code: ["moments", "write_y"],
    situations: [without_outlier, outlier],
    question:
      "In a batch of three, one number is 60. Without it, batch norm's y of the eleven others spread over about 3.7 (largest minus smallest). And with it?",
    show: () => [{label: "x", values: outlier.x, shape: [3, 1, 2, 2]}],
    choices: [
      {text: "About as before: 3.7", holds: ([, b]) => spread(ordinary(b.y)) > 3},
      {text: "About half: 1.9", holds: ([, b]) => spread(ordinary(b.y)) > 1 && spread(ordinary(b.y)) <= 3},
      {text: "Less than a tenth: 0.3", holds: ([, b]) => spread(ordinary(b.y)) < 0.4},
    ],
    reveal: ([a, b]) => [
      {label: "y without it (2 in its place)", values: a.y, shape: [3, 1, 2, 2]},
      {label: "y with it", values: b.y, shape: [3, 1, 2, 2]},
    ],
    why: "The variance is nearly all the outlier's: x̂ of the others is pressed into a narrow band, in all three samples. Instance norm would confine the damage to one plane.",
    hints: [
      "Estimate the variance of eleven numbers around 2 and one 60.",
      "The deviation is about 16; the others lie 5 apart.",
    ],
  },
  {
    id: "predict-which",
    wide: true,
    title: "Which norm made it?",
    code: ["axes"],
    situations: family,
    question: "Two samples of two channels went through three norms, γ = 1, β = 0. Which y is batch norm's?",
    show: (results) => [
      {label: "x", values: family_x, shape: [2, 2, 1, 3]},
      ...results.map(({y}, i) => ({label: letters[i], values: y, shape: [2, 2, 1, 3]})),
    ],
    choices: letters.map((text, i) => ({text, holds: () => family[i].norm === "batch"})),
    reveal: () => [family.map(({norm}, i) => `${letters[i]} is ${norm} norm's`).join(", ") + "."],
    why: "Add up a plane, a channel of both samples, a sample: the sets whose sum is 0 are the sets S (unless smaller ones sum to 0 already, as in instance norm).",
    hints: [
      "Sum over each plane (n, c). Where it is always 0, a plane is S: instance norm.",
      "In what is left: sum over a channel of both samples, and over a sample.",
    ],
  },
];
