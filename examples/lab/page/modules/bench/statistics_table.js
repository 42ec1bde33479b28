import {make} from "../dom.js";
import {medium} from "../format.js";

const head = (...words) =>
  make(
    "thead",
    {},
    make(
      "tr",
      {},
      words.map((word, i) => make("th", {scope: "col", class: i === 0 ? undefined : "number"}, word)),
    ),
  );

/** Rows for the sets S; pointing at one lights it up. `cells(s)` makes the cells behind the name. */
function table_of_sets(columns, point, cells) {
  const body = make("tbody");
  let rows = [];
  return {
    element: make("div", {class: "scroll"}, make("table", {class: "sets"}, head("S", ...columns), body)),
    update(numbers) {
      rows = (numbers?.statistics ?? []).map((name, s) =>
        make(
          "tr",
          {onpointerenter: () => point(s), onpointerleave: () => point(null)},
          make("th", {scope: "row"}, name),
          cells(numbers, s),
        ),
      );
      body.replaceChildren(...rows);
    },
    light(set) {
      rows.forEach((row, s) => row.classList.toggle("lit", s === set));
    },
  };
}

const number = (value) => make("td", {class: "number"}, medium(value));

/** Mean, variance and 1 / deviation of every set S. */
export const statistics_table = (point) =>
  table_of_sets(["μ", "v", "r"], point, ({mean, variance, inv_std}, s) =>
    [mean[s], variance[s], inv_std[s]].map(number),
  );

/** How long the upstream term is in every set S, which shares of its square lie where the projections take away, and what dx has. */
export function projections_table(point) {
  const share = (value, kind) =>
    make(
      "td",
      {class: "number share"},
      make("span", {
        class: `bar ${kind}`,
        "aria-hidden": "true",
        style: `--share: ${100 * Math.min(1, Math.max(0, value))}%`,
      }),
      `${(100 * value).toFixed(1)}\u2009%`,
    );
  return table_of_sets(
    ["|r g|", "along 1", "along x̂", "left in dx"],
    point,
    ({dx_terms, removed_by_mean, removed_by_x_hat, sets}, s) => {
      const length = Math.sqrt(sets[s].reduce((sum, i) => sum + dx_terms.upstream[i] ** 2, 0));
      const mean = removed_by_mean[s],
        x_hat = removed_by_x_hat[s];
      const left =
        length > 0
          ? Math.max(
              0,
              sets[s].reduce((sum, i) => sum + (dx_terms.upstream[i] + dx_terms.mean[i] + dx_terms.x_hat[i]) ** 2, 0),
            ) /
            length ** 2
          : 0;
      return [number(length), share(mean, "mean"), share(x_hat, "x-hat"), share(left, "left")];
    },
  );
}
