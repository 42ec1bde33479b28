import {affine_row, statistic_of} from "../axes.js";
import {make} from "../dom.js";
import {limit_of, scale_legend} from "../scale.js";
import {tensor_view} from "../tensor_view.js";
import {card} from "./card.js";

const by_channel = (n, c) => `c=${c}`;

/**
 * The bench's tensors in their cards, for one shape: made anew when the shape, or which elements share a gamma,
 * changes. `edit(list, index, value)`, `point(element or null)`, `choose({of, index})`.
 */
export function bench_tensors(situation, {edit, point, choose}) {
  const {shape, norm} = situation,
    affine_shape = norm === "layer" ? [1, ...shape.slice(1)] : [1, shape[1], 1, 1];
  const of_x = (name, list) =>
    tensor_view({
      name,
      shape,
      point,
      choose: (index) => choose({of: "x", index}),
      edit: list && ((index, value) => edit(list, index, value)),
    });
  const affine = (name, list, of, more = {}) =>
    tensor_view({
      name,
      shape: affine_shape,
      caption: by_channel,
      choose: of && ((index) => choose({of, index})),
      edit: list && ((index, value) => edit(list, index, value)),
      ...more,
    });
  const running = (name, list) =>
    tensor_view({
      name,
      shape: [1, shape[1], 1, 1],
      caption: by_channel,
      edit: (index, value) => edit(list, index, value),
    });

  const x = of_x("x", "x"),
    dy = of_x("dy", "dy"),
    x_hat = of_x("x-hat"),
    y = of_x("y");
  const terms = {upstream: of_x("upstream term of dx"), mean: of_x("mean term of dx"), x_hat: of_x("x-hat term of dx")},
    dx = of_x("dx");
  const gamma = affine("gamma", "gamma", "gamma"),
    beta = affine("beta", "beta", "beta");
  const dgamma = affine("dgamma", null, "gamma"),
    dbeta = affine("dbeta", null, "beta");
  const running_mean = running("running mean", "running_mean"),
    running_var = running("running variance", "running_var");
  const legend = scale_legend();
  const everywhere = [x, dy, x_hat, y, ...Object.values(terms), dx];
  const labelled = (label, view) =>
    make("div", {class: "labelled"}, make("span", {class: "symbol"}, label), view.element);

  return {
    /** What training left behind; to be seen in evaluation only. */
    running: make("div", {class: "running"}, labelled("running μ", running_mean), labelled("running v", running_var)),
    cards: {
      x: card({title: "x, what comes in", formula: "drag a number, or type"}, x.element),
      x_hat: card({title: "x̂", formula: "(4)  x̂ᵢ = (xᵢ − μ) r", code: ["plane"]}, x_hat.element),
      y: card(
        {title: "y", formula: "(5)  yᵢ = γᵢ x̂ᵢ + βᵢ", code: ["write_y"]},
        make(
          "p",
          {class: "note"},
          norm === "layer" ? "γ and β: one each per element of a sample" : "γ and β: one each per channel",
        ),
        labelled("γ", gamma),
        labelled("β", beta),
        labelled("y", y),
      ),
      dy: card({title: "dy, the gradient that arrives", formula: "drag a number, or type"}, dy.element),
      affine_gradients: card(
        {title: "dγ and dβ", formula: "(7) dγ = Σ dy x̂   (8) dβ = Σ dy", code: ["gradient_sums", "affine_gradients"]},
        labelled("dγ", dgamma),
        labelled("dβ", dbeta),
      ),
      terms: make(
        "div",
        {class: "card wide"},
        make("h4", {}, "dx and its three terms, on one scale of colours"),
        make("p", {class: "formula"}, "(13)  dxᵢ = r gᵢ − r mean(g) − r x̂ᵢ mean(g x̂)      g = γ dy"),
        legend.element,
        make(
          "div",
          {class: "terms"},
          card({title: "upstream: r g", code: ["upstream_term"], kind: "inner"}, terms.upstream.element),
          card({title: "mean term: − r mean(g)", code: ["dx_terms"], kind: "inner"}, terms.mean.element),
          card({title: "x̂ term: − r x̂ mean(g x̂)", code: ["dx_terms", "x_hat"], kind: "inner"}, terms.x_hat.element),
          card({title: "= dx, their sum", code: ["write_dx"], kind: "inner sum"}, dx.element),
        ),
      ),
    },
    /** `numbers` null: the layer refuses, and what would be computed is empty. */
    update(next, numbers) {
      x.update(next.x);
      dy.update(next.dy);
      gamma.update(next.gamma);
      beta.update(next.beta);
      running_mean.update(next.running_mean);
      running_var.update(next.running_var);
      x_hat.update(numbers?.x_hat);
      y.update(numbers?.y);
      dgamma.update(numbers?.dgamma);
      dbeta.update(numbers?.dbeta);
      const limit = numbers
        ? limit_of(numbers.dx_terms.upstream, numbers.dx_terms.mean, numbers.dx_terms.x_hat, numbers.dx)
        : 0;
      legend.update(limit);
      for (const [name, view] of Object.entries(terms)) view.update(numbers?.dx_terms[name], limit);
      dx.update(numbers?.dx, limit);
    },
    /** Frames set S number `set` everywhere, and what is chosen. */
    light(next, set, element) {
      const {chosen} = next,
        of_set = (i) => statistic_of(next, i) === set;
      for (const view of everywhere) view.light(of_set, chosen.of === "x" ? chosen.index : -1);
      const row = element === null ? -1 : affine_row(next, element);
      for (const [of, views] of [
        ["gamma", [gamma, dgamma]],
        ["beta", [beta, dbeta]],
      ]) {
        for (const view of views) view.light((i) => i === row, chosen.of === of ? chosen.index : -1);
      }
    },
  };
}
