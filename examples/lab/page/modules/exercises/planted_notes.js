/** Hints and the reason for each planted error, by its name in tests/mutants/mutants.txt. */
export const planted_notes = {
  "eps outside the root": {
    code: "inverse_std",
    why: "1 / (√v + eps) is not 1 / √(v + eps): with v = 0 it is 1 / eps, a hundred thousand where 316 was meant.",
    hints: ["y is wrong already: look at the forward.", "Which line does the variance go through on its way to r?"],
  },
  "normalizing by the unbiased variance": {
    code: "moments",
    why: "x is divided by the deviation with 1/m inside. The unbiased variance, with 1/(m − 1), is for the running statistics only.",
    hints: ["y is wrong by the same factor everywhere.", "What is the square of that factor, for m = 6?"],
  },
  "dx without its mean term": {
    code: "dx_terms",
    why: "Without it the sum of dx over S is not 0, which (14) says it must be.",
    hints: ["y, dγ and dβ are right: look where dx is written.", "Add up the wrong dx. What should come out, by (14)?"],
  },
  "dx without its x-hat term": {
    code: "dx_terms",
    why: "Without it dx still has a part along x̂: the layer's own stretching is forgotten.",
    hints: [
      "y, dγ and dβ are right, and dx adds up to 0, as it should.",
      "So the mean term is there. Which one is not?",
    ],
  },
  "the means in dx without gamma": {
    code: "gradient_sums",
    why: "The means of (13) are of g = γ dy. With one γ for all of S it could stand in front; here two γ share S.",
    hints: ["y, dγ and dβ are right. dx would be right too if γ were 1.", "Where does g go into the two sums?"],
  },
  "dgamma of x - mean instead of x-hat": {
    code: "affine_gradients",
    why: "dγ is the sum of dy x̂; x − μ without r is too large by the deviation.",
    hints: ["Only dγ is wrong, by one factor.", "Is the factor the deviation? Then r is missing somewhere."],
  },
};
