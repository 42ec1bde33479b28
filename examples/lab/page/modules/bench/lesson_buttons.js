import {make} from "../dom.js";
import {lessons} from "../lessons.js";

/** A button for each lesson, and the two sentences of the one that is open. `open(lesson)`. */
export function lesson_buttons(open) {
  const buttons = lessons.map((lesson) => make("button", {type: "button", onclick: () => open(lesson)}, lesson.title));
  const words = make("p", {class: "lesson-words", "aria-live": "polite"});
  return {
    element: make(
      "div",
      {class: "lessons"},
      make("div", {class: "buttons", role: "group", "aria-label": "Lessons"}, buttons),
      words,
    ),
    /** `id` is the lesson's whose numbers are shown as they come; `last` the one that was opened. */
    update(id, last) {
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", lessons[i].id === id));
      const told = lessons.find((lesson) => lesson.id === last);
      words.textContent = told ? told.words : "These are numbers from the address of the page. A lesson brings others.";
    },
  };
}
