// RMS norm (Zhang and Sennrich 2019, 1910.07467): no mean is taken off, y_i = gamma_i x_i r.

/** r = 1 / sqrt(mean(x^2) + eps) */
export const rms_inverse = (x, eps) => 1 / Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + eps);

/** Central differences of sum(g x r) by every x: what its gradient is by definition. */
export function rms_difference(x, g, eps) {
  const loss = (at) => {
    const r = rms_inverse(at, eps);
    return at.reduce((sum, v, i) => sum + g[i] * v * r, 0);
  };
  const h = 1e-5 / rms_inverse(x, eps); // small against what the loss curves over
  return x.map((value, j) => {
    const above = value + h,
      below = value - h,
      moved = (v) => x.map((old, i) => (i === j ? v : old));
    return (loss(moved(above)) - loss(moved(below))) / (above - below);
  });
}
