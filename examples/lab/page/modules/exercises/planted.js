import {make} from "../dom.js";
import {limit_of} from "../scale.js";
import {request_of} from "../situation.js";
import {tensor_view} from "../tensor_view.js";
import {exercise} from "./frame.js";
import {planted_input} from "./planted_input.js";
import {planted_notes} from "./planted_notes.js";
import {progress} from "./progress.js";

const given =
  "One S (group norm, 1 group) of two channels: x = 1, 3, 5 and 2, 8, 5; dy = 1, 0, −1 and 2, 0.5, 0; γ = 2, 0.5; β = 1, −1; eps = 0.1.";
const affine_shape = [1, 2, 1, 1];
const looked_at = [
  ["y", "y", planted_input.shape],
  ["dx", "dx", planted_input.shape],
  ["dgamma", "dγ", affine_shape],
  ["dbeta", "dβ", affine_shape],
];

/** What the wrong kernel computes and what is right, side by side; what differs is said in words. */
function comparison(wrong, right) {
  return looked_at.map(([key, label, shape]) => {
    const limit = limit_of(right[key]),
      apart = right[key].some((value, i) => !(Math.abs(value - wrong[key][i]) <= 1e-9 * Math.max(1, limit)));
    const views = [
      ["right", right],
      ["here", wrong],
    ].map(([who, numbers]) => {
      const view = tensor_view({name: `${label}, ${who}`, shape, caption: (n, c) => `c=${c}`});
      view.update(numbers[key], limit);
      return make("div", {class: "labelled"}, make("span", {class: "symbol small"}, who), view.element);
    });
    return make(
      "figure",
      {class: `numbers ${apart ? "apart" : ""}`},
      make("figcaption", {}, `${label}: ${apart ? "✗ wrong" : "✓ right"}`),
      views,
    );
  });
}

/** One of the engine's mutants: the reader clicks the line that is wrong. */
export function planted(mutant, number, engine) {
  const id = `planted-${mutant.hidden.replace(/\W+/g, "-")}`,
    notes = planted_notes[mutant.hidden];
  const verdict = make("p", {class: "verdict", role: "status"});
  const texts = mutant.listing.split("\n");
  const buttons = texts.map((text, i) =>
    text === ""
      ? null
      : make(
          "button",
          {
            type: "button",
            class: "line",
            tabindex: i === 0 ? 0 : -1,
            onclick: () => choose(i),
            onkeydown: (event) => walk(event, i),
          },
          text,
        ),
  );
  const lines = texts.map((_, i) => make("li", {}, buttons[i] ?? "\u00a0"));
  // Tab reaches one line, the up and down keys the others.
  function walk(event, i) {
    const step = {ArrowUp: -1, ArrowDown: 1}[event.key];
    let next = i + step;
    while (step && next in buttons && !buttons[next]) next += step;
    if (!step || !buttons[next]) return;
    event.preventDefault();
    buttons[i].tabIndex = -1;
    buttons[next].tabIndex = 0;
    buttons[next].focus();
  }
  function choose(i) {
    const found = i + 1 === mutant.line;
    lines.forEach((line, k) => {
      line.className = k !== i ? "" : found ? "tried found" : "tried";
    });
    verdict.className = `verdict ${found ? "right" : "wrong"}`;
    verdict.textContent = found
      ? `✓ Line ${i + 1} it is: ${mutant.hidden}. ${notes.why}`
      : `✗ Line ${i + 1} is as it should be.`;
    if (found) progress.mark(id);
  }
  const request = request_of(planted_input);
  return exercise(
    {
      id,
      wide: true,
      title: `Planted error ${number}`,
      hints: notes.hints,
      code: [notes.code],
      task: "One line of this kernel is not gesso's. It was compiled as it stands here, and ran on the same input as the right one. Look at which numbers are wrong, and click the line.",
      solution: `Line ${mutant.line}: ${mutant.hidden}. ${notes.why}`,
    },
    make(
      "div",
      {class: "planted"},
      make("ol", {class: "code-lines", "aria-label": "The kernel's lines", tabindex: -1}, lines),
      make(
        "div",
        {class: "seen"},
        verdict,
        make("p", {class: "note"}, given),
        make("div", {class: "figures"}, comparison(mutant.numbers(request), engine.bench(request))),
      ),
    ),
  );
}
