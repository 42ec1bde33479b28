// The exercises: three groups, and how many are solved.
import {make} from "../dom.js";
import {fill_in} from "./fill.js";
import {planted} from "./planted.js";
import {prediction} from "./predict.js";
import {predictions} from "./predictions.js";
import {progress} from "./progress.js";
import {terms} from "./terms.js";

/** Fills `section`. `bench.open(situation)` shows a question's numbers there. */
export function start_exercises(section, engine, bench) {
  const open_in_bench = (situation) => {
    bench.open(situation);
    document.getElementById("bench").scrollIntoView();
    document.querySelector("#bench h2").focus({preventScroll: true});
  };
  const groups = [
    ["Predict, then reveal", predictions.map((task) => prediction(task, engine, open_in_bench))],
    ["Fill in the missing term", terms.map((task) => fill_in(task, engine))],
    ["Find the planted error", engine.mutants().map((mutant, i) => planted(mutant, i + 1, engine))],
  ];
  const ids = groups.flatMap(([, elements]) => elements.map(({id}) => id));
  const bar = make("progress", {max: ids.length, "aria-label": "Exercises solved"}),
    count = make("span");
  progress.watch(() => {
    bar.value = ids.filter((id) => progress.solved(id)).length;
    count.textContent = `${bar.value} of ${ids.length} solved`;
  });
  section.append(
    make(
      "p",
      {class: "progress-line"},
      bar,
      " ",
      count,
      " ",
      make(
        "button",
        {
          type: "button",
          onclick: () => {
            if (confirm("Forget which exercises are solved, and what you wrote in them?")) progress.forget();
          },
        },
        "Begin again",
      ),
    ),
  );
  for (const [title, elements] of groups) {
    section.append(make("h3", {}, title), make("div", {class: "exercises"}, elements));
  }
}
