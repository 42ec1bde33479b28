import {make, new_id, when_quiet} from "../dom.js";
import {full, medium} from "../format.js";
import {check_answer} from "./check.js";
import {exercise} from "./frame.js";
import {progress} from "./progress.js";

const row_of = ({title, fine, worst}) =>
  make(
    "tr",
    {class: fine ? "fine" : "off"},
    make("td", {}, fine ? "✓" : "✗"),
    make("th", {scope: "row"}, title),
    make("td", {class: "number"}, medium(worst.yours)),
    make("td", {class: "number"}, medium(worst.wanted)),
    make("td", {}, worst.where),
  );

/** One of terms.js: the reader's code is checked whenever the typing pauses. */
export function fill_in(task, engine) {
  const id = new_id("code");
  const editor = make("textarea", {
    id,
    rows: 3,
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    class: "editor",
  });
  const verdict = make("p", {class: "verdict", role: "status"}),
    body = make("tbody");
  const table = make(
    "div",
    {class: "scroll", hidden: true},
    make(
      "table",
      {class: "sets cases"},
      make(
        "thead",
        {},
        make(
          "tr",
          {},
          ["", "tried on", "worst: yours", "should be", "at [n, c, h, w]"].map((word, i) =>
            make("th", {scope: "col", class: i === 2 || i === 3 ? "number" : undefined}, word),
          ),
        ),
      ),
      body,
    ),
  );
  let run = 0;

  async function check() {
    const mine = ++run;
    const {cases, complaint} = await check_answer({...task, code: editor.value, engine});
    if (mine !== run) return; // the reader typed on
    table.hidden = Boolean(complaint);
    body.replaceChildren(...cases.map(row_of));
    const off = cases.filter(({fine}) => !fine),
      untouched = editor.value === task.start;
    verdict.classList.toggle("right", !complaint && off.length === 0);
    verdict.classList.toggle("wrong", !untouched && (Boolean(complaint) || off.length > 0));
    if (complaint) verdict.textContent = `✗ ${complaint}`;
    else if (off.length === 0) verdict.textContent = `✓ Right on all ${cases.length} inputs.`;
    else {
      const worst = off.reduce((a, b) => (b.worst.error > a.worst.error ? b : a));
      const count = `${off.length} of ${cases.length} inputs`;
      verdict.textContent =
        (untouched ? `As it stands here, it is wrong on ${count}. ` : `✗ Wrong on ${count}. `) +
        `Worst: ${worst.title}, ${worst.worst.where}: ` +
        `yours is ${full(worst.worst.yours)}, it should be ${full(worst.worst.wanted)}.`;
    }
    if (!complaint && off.length === 0) progress.mark(task.id);
  }
  const check_soon = when_quiet(350, check);
  editor.addEventListener("input", () => {
    progress.keep(task.id, editor.value);
    check_soon();
  });

  const element = exercise(
    {...task, solution: make("span", {}, make("code", {class: "answer"}, task.answer), " ", task.why)},
    make("label", {for: id, class: "signature"}, `Your code: (${task.names}) →`),
    editor,
    verdict,
    table,
  );
  progress.watch(() => {
    const kept = progress.answer(task.id) ?? task.start;
    if (editor.value === kept) return;
    editor.value = kept;
    if (run > 0) check();
  });
  // The first check when it comes into view: a page that opens has better things to do.
  new IntersectionObserver(
    ([entry], observer) => {
      if (!entry.isIntersecting) return;
      observer.disconnect();
      check();
    },
    {rootMargin: "300px"},
  ).observe(element);
  return element;
}
