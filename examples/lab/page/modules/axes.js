// Which elements share a statistic, and which a gamma: what core/normalization/axes.h says, for the page's
// pointing and lighting up. Numbers are the engine's.

export const size_of = (shape) => shape.reduce((product, size) => product * size, 1);

// Batch norm has a statistic for each channel; with running statistics so has instance norm.
const is_by_channel = ({norm, eval: evaluating}) => norm === "batch" || (norm === "instance" && evaluating);

/** How many sets S there are. */
export function statistics(layer) {
  const {norm, groups, shape} = layer;
  if (is_by_channel(layer)) return shape[1];
  return shape[0] * (norm === "instance" ? shape[1] : norm === "group" ? groups : 1);
}

/** The set S, as its number, that element `index` of x belongs to. */
export function statistic_of(layer, index) {
  const {norm, groups, shape} = layer;
  const [, channels, height, width] = shape;
  const plane = Math.floor(index / (height * width)),
    n = Math.floor(plane / channels),
    c = plane % channels;
  if (is_by_channel(layer)) return c;
  if (norm === "instance") return plane;
  return norm === "group" ? n * groups + Math.floor(c / (channels / groups)) : n;
}

/** The elements of x in set S number s, in increasing order. */
export function elements_of(layer, s) {
  const elements = [];
  for (let i = 0; i < size_of(layer.shape); ++i) {
    if (statistic_of(layer, i) === s) elements.push(i);
  }
  return elements;
}

/** How many gammas the layer has, and as many betas. */
export const affine_size = ({norm, shape}) => (norm === "layer" ? shape[1] * shape[2] * shape[3] : shape[1]);

/** The gamma that element `index` of x is multiplied by. */
export function affine_row({norm, shape}, index) {
  const plane_size = shape[2] * shape[3];
  return norm === "layer" ? index % (shape[1] * plane_size) : Math.floor(index / plane_size) % shape[1];
}

/** [n, c, h, w] of element `index`. */
export function coordinates(shape, index) {
  const [, channels, height, width] = shape;
  return [
    Math.floor(index / (channels * height * width)),
    Math.floor(index / (height * width)) % channels,
    Math.floor(index / width) % height,
    index % width,
  ];
}

/** The stops of the slider from instance over group to layer norm, for so many channels. */
export function slider_stops(channels) {
  const between = [];
  for (let groups = channels - 1; groups > 1; --groups) {
    if (channels % groups === 0) between.push({norm: "group", groups});
  }
  return [{norm: "instance", groups: channels}, ...between, {norm: "layer", groups: 1}];
}
