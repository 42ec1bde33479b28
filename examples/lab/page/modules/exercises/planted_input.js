import {complete} from "../situation.js";

/** Two channels with gammas of their own in one S, a mean that is not 0, an eps that counts: every planted error shows. */
export const planted_input = complete({
  norm: "group",
  groups: 1,
  shape: [1, 2, 1, 3],
  x: [1, 3, 5, 2, 8, 5],
  dy: [1, 0, -1, 2, 0.5, 0],
  gamma: [2, 0.5],
  beta: [1, -1],
  eps: 0.1,
});
