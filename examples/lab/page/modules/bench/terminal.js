import {make} from "../dom.js";

const list = (values) => values.join(",");

/** The command that prints the bench's numbers in a terminal. */
export function command_of({
  norm,
  groups,
  shape,
  x,
  dy,
  gamma,
  beta,
  eps,
  eval: evaluating,
  running_mean,
  running_var,
}) {
  return [
    "norm-lab --json",
    `--norm ${norm}`,
    norm === "group" ? `--groups ${groups}` : null,
    `--shape ${list(shape)}`,
    `--x=${list(x)}`,
    `--dy=${list(dy)}`,
    `--gamma=${list(gamma)}`,
    `--beta=${list(beta)}`,
    `--eps ${eps}`,
    evaluating ? `--eval --running-mean=${list(running_mean)} --running-var=${list(running_var)}` : null,
  ]
    .filter(Boolean)
    .join(" \\\n    ");
}

/** All digits: the engine's document, and the command that prints the same. Filled when it is opened. */
export function terminal_view(engine) {
  const command = make("pre", {class: "listing", tabindex: 0}),
    text = make("pre", {class: "listing tall", tabindex: 0});
  let request = null;
  const fill = () => {
    if (!element.open || !request) return;
    command.textContent = command_of(request);
    try {
      text.textContent = engine.benchText(request);
    } catch (error) {
      text.textContent = error.message;
    }
  };
  const element = make(
    "details",
    {class: "terminal", ontoggle: fill},
    make("summary", {}, "All digits, and the same in a terminal"),
    command,
    text,
  );
  return {
    element,
    update(next) {
      request = next;
      fill();
    },
  };
}
