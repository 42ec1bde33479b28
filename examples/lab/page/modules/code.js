// Which function of gesso computes what stands in a box of the page.
import {make} from "./dom.js";

/** [name, file below the top folder] */
export const functions = {
  moments: ["piece_moments", "core/normalization/moments.cpp"],
  inverse_std: ["inverse_std", "core/normalization/forward.cpp"],
  plane: ["Plane", "core/normalization/planes.h"],
  normalize_forward: ["normalize_forward", "core/normalization/forward.cpp"],
  write_y: ["write_y", "core/normalization/forward.cpp"],
  axes: ["NormalizationAxes", "core/normalization/axes.h"],
  gradient_sums: ["gradient_sums", "core/normalization/backward.cpp"],
  affine_gradients: ["plane_row_gradients", "core/normalization/backward.cpp"],
  dx_terms: ["dx_terms", "core/normalization/backward.cpp"],
  x_hat: ["x_hat", "core/normalization/backward.cpp"],
  upstream_term: ["upstream_term", "core/normalization/backward.cpp"],
  write_dx: ["write_dx", "core/normalization/backward.cpp"],
  terms: ["normalize_backward_terms", "core/normalization/backward.cpp"],
  inspect: ["inspect_normalization", "layers/normalization/inspect.h"],
  backward: ["normalize_backward", "core/normalization/backward.cpp"],
  plain_forward: ["plain_forward", "core/normalization/plain.h"],
  plain_backward: ["plain_backward", "core/normalization/plain.h"],
  differences: ["differences_of", "examples/norm_lab/differences.h"],
  gradcheck: ["gradcheck", "autograd/gradcheck.h"],
  update_running: ["update_running", "autograd/normalization.cpp"],
};

/** "computed by `name` in file" for one or more keys of `functions`. */
export function computed_by(...keys) {
  const parts = keys.flatMap((key, i) => [
    i === 0 ? "Computed by " : ", ",
    make("code", {}, functions[key][0]),
    " in ",
    make("span", {class: "file"}, functions[key][1]),
  ]);
  return make("p", {class: "source"}, parts);
}
