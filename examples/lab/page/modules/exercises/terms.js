// The terms that a reader fills in. An answer is an expression, or the body of a function with `return`; it is called
// for one set S. sum(list) and mean(list) are there to be used.
import {evaluated, inputs} from "./inputs.js";
import {affine_questions, dx_questions, rms_questions, term_questions, x_hat_questions} from "./questions.js";

const one_gamma = inputs.filter(({norm}) => norm === "batch" || norm === "instance");

export const terms = [
  {
    id: "fill-x-hat",
    title: "x̂",
    names: "x, mu, r",
    inputs,
    questions: x_hat_questions,
    code: ["plane", "x_hat"],
    task: "Forward, to warm up. x is the list of the numbers of S, mu their mean, r = 1 / √(v + eps). Give the list of x̂. It is held to the layer's own x̂.",
    start: "x.map((xi) => xi * r)",
    answer: "x.map((xi) => (xi - mu) * r)",
    why: "Equation (4).",
    hints: ["What should the mean of x̂ be?", "Take mu off first, then stretch by r."],
  },
  {
    id: "fill-affine",
    title: "dγ and dβ",
    names: "dy, x_hat",
    inputs,
    questions: affine_questions,
    code: ["affine_gradients", "gradient_sums"],
    task: "dy and x_hat are lists over all elements that share one γ and one β. Give [dγ, dβ].",
    start: "[mean(dy), mean(dy)]",
    answer: "[sum(dy.map((d, i) => d * x_hat[i])), sum(dy)]",
    why: "Equations (7) and (8): each reaches the loss through every element that uses it, so the ways add up.",
    hints: ["y = γ x̂ + β. What is ∂y/∂γ, what ∂y/∂β?", "A sum over all elements, not a mean."],
  },
  {
    id: "fill-eval",
    title: "dx in evaluation",
    names: "g, r, m",
    inputs: evaluated,
    questions: dx_questions(["g", "r", "m"]),
    code: ["upstream_term"],
    task: "The statistics are running ones, given from outside. g = γ dy. Give the list of dx.",
    start: "g.map((gi) => r * (gi - mean(g)))",
    answer: "g.map((gi) => r * gi)",
    why: "x moves neither μ nor r, so both projections drop out.",
    hints: ["Does μ change when x does?", "y is an affine map of x now. What is its slope?"],
  },
  {
    id: "fill-mean",
    title: "The mean term",
    names: "g, r, m",
    inputs,
    questions: term_questions("mean", ["g", "r", "m"], true),
    code: ["dx_terms"],
    task: "gesso brings the upstream term r g and the x̂ term; you bring what (13) has between them: one number for all of S, with its sign. g = γ dy.",
    start: "0",
    answer: "-r * mean(g)",
    why: "Each xⱼ moves the mean by 1/m, and so every x̂ by −r/m. All of S answers for it.",
    hints: [
      "How much does μ move when one x moves by 1?",
      "Every x̂ᵢ of S moves by −r/m; the loss by gᵢ times that. Add up.",
    ],
  },
  {
    id: "fill-x-hat-term",
    title: "The x̂ term",
    names: "g, x_hat, r, m",
    inputs,
    questions: term_questions("x_hat", ["g", "x_hat", "r", "m"], false),
    code: ["dx_terms", "x_hat"],
    task: "Now the other projection: the list of what the moving variance takes off, with its sign.",
    start: "x_hat.map((xh) => -r * xh * mean(g))",
    answer: "const along = mean(g.map((gi, i) => gi * x_hat[i]));\nreturn x_hat.map((xh) => -r * xh * along);",
    why: "Equation (10): δr = −r² mean(x̂ δ). Every x̂ᵢ feels it in proportion to itself, and sends gᵢ back.",
    hints: ["By (10), how does r move when xⱼ moves by 1?", "−r x̂ⱼ times a mean over S. Of what?"],
  },
  {
    id: "fill-compact",
    title: "All of dx, as in CS231n",
    names: "dy, x_hat, gamma, r, m, dgamma, dbeta",
    inputs: one_gamma,
    questions: (input, engine) =>
      dx_questions(["dy", "x_hat", "gamma_S", "r", "m", "dgamma", "dbeta"])(input, engine).map((question) => {
        const {gamma_S: gamma, ...given} = question.given;
        return {...question, given: {...given, gamma}};
      }),
    code: ["write_dx", "plain_backward"],
    task: "One γ serves all of S, and dγ, dβ are S's sums over dy x̂ and dy. Give dx as one list, in the compact form: (γ r / m) times three terms.",
    start: "dy.map((d, i) => gamma * r / m * (m * d - dbeta))",
    answer: "dy.map((d, i) => gamma * r / m * (m * d - dbeta - x_hat[i] * dgamma))",
    why: "(13) with mean(g) = γ dβ / m and mean(g x̂) = γ dγ / m.",
    hints: ["Write mean(g) and mean(g x̂) with dβ and dγ.", "m dy − dβ − what?"],
  },
  {
    id: "fill-rms",
    title: "RMS norm",
    names: "x, g, r, m",
    inputs,
    questions: rms_questions,
    code: ["gradcheck"],
    task: "RMS norm takes no mean off: y = γ x r with r = 1 / √(mean(x²) + eps). Give its dx, from g = γ dy. It is held to finite differences of that forward.",
    start: "g.map((gi) => r * (gi - mean(g)))",
    answer:
      "const along = mean(g.map((gi, i) => gi * x[i]));\nreturn g.map((gi, i) => r * gi - r * r * r * x[i] * along);",
    why: "Without μ there is no mean term; the other term has x r in place of x̂.",
    hints: ["Which of the three terms came from μ?", "δr = −r³ mean(x δ)."],
  },
];
