import {coordinates, size_of} from "./axes.js";
import {make} from "./dom.js";
import {full, short} from "./format.js";
import {number_cell} from "./number_cell.js";

/** "sample 0, channel 1, row 0, column 2" */
export function place_name(shape, index) {
  const [n, c, h, w] = coordinates(shape, index);
  return [
    shape[0] > 1 ? `sample ${n}` : null,
    `channel ${c}`,
    shape[2] > 1 ? `row ${h}` : null,
    shape[3] > 1 ? `column ${w}` : null,
  ]
    .filter(Boolean)
    .join(", ");
}

/**
 * The planes of a tensor (N, C, H, W) as tables of numbers, tinted by sign and size. One number of it can be
 * reached by Tab, the others by the left and right keys (and up and down where they change nothing).
 *
 *     caption(n, c)          the words over a plane, if there are several
 *     edit(index, value)     given: the numbers can be dragged and typed
 *     point(index or null)   the reader's pointer or focus is on that number
 *     choose(index)          the reader clicked it
 */
export function tensor_view({name, shape, caption, edit, point, choose}) {
  const cells = [],
    editors = [],
    [samples, channels, height, width] = shape;
  const alone = samples * channels === 1;
  let reachable = 0,
    numbers = [];
  const reach = (index) => {
    cells[reachable].tabIndex = -1;
    reachable = index;
    cells[index].tabIndex = 0;
  };
  const cell_of = (index) => {
    const place = `${name}, ${place_name(shape, index)}`;
    const number = edit && number_cell({label: place, change: (value) => edit(index, value)});
    const cell = number ? number.input : make("button", {type: "button", class: "cell"});
    cell.tabIndex = index === 0 ? 0 : -1;
    cell.addEventListener("focus", () => {
      reach(index);
      if (!number) cell.setAttribute("aria-label", `${place}: ${full(numbers[index])}`);
      point?.(index);
      if (number) choose?.(index);
    });
    cell.addEventListener("blur", () => point?.(null));
    cell.addEventListener("pointerenter", () => point?.(index));
    cell.addEventListener("pointerleave", () => point?.(null));
    if (number) cell.addEventListener("pointerdown", () => choose?.(index));
    else cell.addEventListener("click", () => choose?.(index));
    cell.addEventListener("keydown", (event) => {
      const edited = number && (cell.selectionStart !== 0 || cell.selectionEnd !== cell.value.length);
      const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: number ? 0 : -width, ArrowDown: number ? 0 : width}[
        event.key
      ];
      const next = index + step;
      if (!step || edited || !cells[next]) return;
      event.preventDefault();
      cells[next].focus();
    });
    cells.push(cell);
    editors.push(number);
    return make("td", {}, cell);
  };
  const plane = (n, c) =>
    make(
      "table",
      {class: "plane", role: "presentation"},
      alone ? null : make("caption", {}, caption?.(n, c) ?? `n=${n} c=${c}`),
      make(
        "tbody",
        {},
        Array.from({length: height}, (_, h) =>
          make(
            "tr",
            {},
            Array.from({length: width}, (_, w) => cell_of(((n * channels + c) * height + h) * width + w)),
          ),
        ),
      ),
    );
  const element = make(
    "div",
    {class: "tensor", role: "group", "aria-label": name},
    Array.from({length: samples}, (_, n) =>
      make(
        "div",
        {class: "sample"},
        Array.from({length: channels}, (_, c) => plane(n, c)),
      ),
    ),
  );

  return {
    element,
    count: size_of(shape),
    /** Shows numbers, the strongest colour for +-limit; without it for the largest of them. null: there are none. */
    update(values, limit = Math.max(...(values ?? [0]).map(Math.abs).filter(Number.isFinite))) {
      numbers = values ?? [];
      cells.forEach((cell, i) => {
        const value = numbers[i];
        if (editors[i]) editors[i].set_value(value);
        else cell.textContent = value === undefined ? "–" : short(value);
        const share = limit > 0 && Math.abs(value) > 1e-12 ? Math.min(1, Math.abs(value) / limit) : 0;
        cell.style.setProperty("--share", `${Math.round(100 * share)}%`);
        cell.classList.toggle("negative", value < 0);
      });
    },
    /** Frames the elements for which inside(index) holds, and the one that is chosen. */
    light(inside, chosen) {
      cells.forEach((cell, i) => {
        cell.classList.toggle("lit", inside(i));
        cell.classList.toggle("chosen", i === chosen);
      });
    },
  };
}
