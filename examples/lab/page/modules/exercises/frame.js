import {computed_by} from "../code.js";
import {make} from "../dom.js";
import {progress} from "./progress.js";

/**
 * What all exercises have: a title with a mark when it is solved, the task, two hints that come one at a time, the
 * solution, and the line of the code it is about. `code` are keys of code.js. `action` is a button that stands before
 * those of the help, `outcome` what appears behind them. A `wide` one has a row of its own.
 */
export function exercise({id, title, task, hints, solution, code, action, outcome, wide}, ...content) {
  const mark = make("span", {class: "mark"});
  const element = make(
    "article",
    {class: wide ? "exercise wide" : "exercise", id, "aria-labelledby": `${id}-title`},
    make("h4", {id: `${id}-title`}, title, " ", mark),
    make("p", {class: "task"}, task),
    content,
  );
  progress.watch(() => {
    const solved = progress.solved(id);
    mark.textContent = solved ? "✓ solved" : "";
    element.classList.toggle("solved", solved);
  });

  const help = make("div", {class: "help", "aria-live": "polite"});
  let shown = 0;
  const more = make(
    "button",
    {
      type: "button",
      onclick: () => {
        help.append(make("p", {}, make("strong", {}, `Hint ${shown + 1}. `), hints[shown]));
        ++shown;
        if (shown === hints.length) more.remove();
        else more.textContent = "Second hint";
      },
    },
    "First hint",
  );
  const solve = make(
    "button",
    {
      type: "button",
      onclick: () => {
        help.append(make("div", {class: "solution"}, make("strong", {}, "Solution. "), solution));
        solve.remove();
      },
    },
    "Solution",
  );
  element.append(
    make("div", {class: "buttons helpers"}, action ?? "", more, solve),
    outcome ?? "",
    help,
    computed_by(...code),
  );
  return element;
}
