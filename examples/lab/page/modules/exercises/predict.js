import {make, new_id} from "../dom.js";
import {request_of} from "../situation.js";
import {tensor_view} from "../tensor_view.js";
import {exercise} from "./frame.js";
import {progress} from "./progress.js";

/** The engine's answer, or {refusal} where the layer refuses. */
function computed(engine, situation) {
  try {
    return engine.bench(request_of(situation));
  } catch (error) {
    return {refusal: error.message};
  }
}

const shown = ({label, values, shape}) => {
  const view = tensor_view({name: label, shape});
  view.update(values);
  return make("figure", {class: "numbers"}, make("figcaption", {}, label), view.element);
};

/** One of predictions.js: choose, then see what the engine computes. */
export function prediction(task, engine, open_in_bench) {
  const name = new_id("choice");
  const results = task.situations.map((situation) => computed(engine, situation));
  const outcome = make("div", {class: "outcome", "aria-live": "polite"});
  const reveal = make("button", {type: "button", class: "first", disabled: true, onclick: () => show()}, "Reveal");
  let choice = -1;
  const options = task.choices.map(({text}, i) =>
    make(
      "label",
      {},
      make("input", {
        type: "radio",
        name,
        onchange: () => {
          choice = i;
          reveal.disabled = false;
        },
      }),
      " ",
      text,
    ),
  );

  function show() {
    const right = task.choices[choice].holds(results);
    if (right) progress.mark(task.id);
    outcome.replaceChildren(
      make("p", {class: right ? "right" : "wrong"}, right ? "✓ Yes." : "✗ No. Here is what comes out; choose again."),
      make(
        "div",
        {class: "figures"},
        task.reveal(results).map((part) => (typeof part === "string" ? make("p", {}, part) : shown(part))),
      ),
      ...(right ? [make("p", {}, task.why)] : []),
      make("button", {type: "button", onclick: () => open_in_bench(task.situations.at(-1))}, "Open this on the bench"),
    );
  }
  const answer = task.choices.find(({holds}) => holds(results));
  return exercise(
    {...task, task: task.question, action: reveal, outcome, solution: `${answer.text}. ${task.why}`},
    make("div", {class: "figures"}, task.show(results).map(shown)),
    make("fieldset", {class: "choices"}, make("legend", {class: "unseen"}, "Your prediction"), options),
  );
}
