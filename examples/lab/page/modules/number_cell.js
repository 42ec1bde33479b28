import {make} from "./dom.js";
import {full, parse_number, short} from "./format.js";

const pixels_per_step = 5;

// 0.30000000000000004 is not what a step of 0.1 means.
const tidy = (value, step) => Number(value.toFixed(Math.max(0, Math.ceil(-Math.log10(step)), decimals(value - step))));
const decimals = (value) => Math.min(6, (String(Number(value.toPrecision(10))).split(".")[1] ?? "").length);

/**
 * A number that is dragged to the left and right, typed, or changed by the up and down keys: by 0.1, with Shift by
 * 1, with Page Up and Page Down by 1 too. An element `input` with role spinbutton; set_value() shows another
 * number. `change(value)` is called for every number the reader makes. `least`: no number below it is taken.
 */
export function number_cell({label, change, least = -1e6, most = 1e6}) {
  let value = 0;
  const input = make("input", {
    class: "cell",
    type: "text",
    inputmode: "decimal",
    role: "spinbutton",
    autocomplete: "off",
    "aria-label": label,
    spellcheck: "false",
  });
  const show = () => {
    if (document.activeElement !== input || dragging) input.value = short(value);
    input.setAttribute("aria-valuenow", value);
  };
  const take = (next) => {
    value = Math.min(most, Math.max(least, next));
    change(value);
  };
  const step_by = (steps, size) => {
    take(tidy(value + steps * size, size));
    if (document.activeElement === input) {
      input.value = full(value);
      input.select(); // what is typed next takes its place
    }
    show();
  };

  let dragging = false,
    from = null;
  input.addEventListener("pointerdown", (event) => {
    if (event.button === 0) from = {x: event.clientX, value};
  });
  input.addEventListener("mousedown", (event) => {
    if (document.activeElement !== input) event.preventDefault(); // a click selects all of it, a drag nothing
  });
  input.addEventListener("pointermove", (event) => {
    if (!from) return;
    const moved = event.clientX - from.x;
    if (!dragging && Math.abs(moved) > 4) {
      dragging = true;
      input.setPointerCapture(event.pointerId);
      input.classList.add("dragging");
    }
    if (dragging) {
      const size = event.shiftKey ? 1 : 0.1;
      take(tidy(from.value + Math.round(moved / pixels_per_step) * size, size));
      show();
    }
  });
  const release = () => {
    from = null;
    input.classList.remove("dragging");
    setTimeout(() => {
      dragging = false;
    }); // after the click that ends a drag
  };
  input.addEventListener("pointerup", release);
  input.addEventListener("pointercancel", release);
  input.addEventListener("click", () => {
    if (!dragging && document.activeElement !== input) input.focus();
  });
  input.addEventListener("focus", () => {
    input.value = full(value);
    input.select();
  });
  input.addEventListener("blur", () => {
    input.classList.remove("invalid");
    show();
  });
  input.addEventListener("input", () => {
    const typed = parse_number(input.value);
    const fine = Number.isFinite(typed) && typed >= least && typed <= most;
    input.classList.toggle("invalid", !fine);
    input.setAttribute("aria-invalid", !fine);
    if (fine) take(typed);
  });
  input.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? 1 : 0.1;
    const steps = {ArrowUp: [1, size], ArrowDown: [-1, size], PageUp: [1, 1], PageDown: [-1, 1]}[event.key];
    if (!steps) return;
    event.preventDefault();
    step_by(...steps);
  });
  return {
    input,
    set_value(next) {
      value = next;
      show();
    },
  };
}
