import {make, once_a_frame} from "../dom.js";
import {full, medium, short} from "../format.js";

const most_pixels = 420;

/**
 * The matrix (12) of one set S, drawn on a canvas; numbers stand in cells that are large enough. The reader
 * points at a cell, or moves by the arrow keys. `point(index of x or null)`.
 */
export function jacobian_view(point) {
  const room = make("div", {class: "canvas-room"});
  const canvas = make("canvas", {
    class: "jacobian",
    tabindex: 0,
    role: "application",
    "aria-label": "Jacobian: move by the arrow keys",
  });
  const words = make("p", {class: "readout", "aria-live": "polite"});
  const title = make("p", {class: "quiet"});
  let jacobian = null,
    at = null;

  const draw = () => {
    const context = canvas.getContext("2d"),
      style = getComputedStyle(canvas),
      color = (name) => style.getPropertyValue(name).trim();
    const m = jacobian?.matrix.length ?? 0,
      scale = Math.min(3, devicePixelRatio || 1);
    if (!m || !room.clientWidth) return;
    const cell = Math.max(4, Math.floor(Math.min(most_pixels, room.clientWidth) / m));
    const shown = Math.min(cell, 64) * m,
      side = shown / m;
    canvas.width = canvas.height = Math.round(shown * scale);
    canvas.style.width = `${shown}px`;
    context.scale(scale, scale);
    const limit = Math.max(...jacobian.matrix.flat().map(Math.abs));
    context.font = `${Math.min(13, side / 3.4)}px ${color("--sans") || "sans-serif"}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    jacobian.matrix.forEach((row, i) =>
      row.forEach((value, j) => {
        context.fillStyle = color("--card");
        context.fillRect(j * side, i * side, side, side);
        context.globalAlpha = limit > 0 ? (0.75 * Math.abs(value)) / limit : 0;
        context.fillStyle = color(value < 0 ? "--negative" : "--positive");
        context.fillRect(j * side, i * side, side - 1, side - 1);
        context.globalAlpha = 1;
        if (side >= 30) {
          context.fillStyle = color("--ink");
          context.fillText(short(value), (j + 0.5) * side, (i + 0.5) * side);
        }
      }),
    );
    if (at) {
      context.strokeStyle = color("--focus");
      context.lineWidth = 2;
      context.strokeRect(at[1] * side + 1, at[0] * side + 1, side - 2, side - 2);
    }
  };
  const tell = () => {
    if (!jacobian) {
      words.textContent = "";
      return;
    }
    if (!at) {
      const sums = jacobian.matrix.map((row) => Math.abs(row.reduce((sum, value) => sum + value, 0)));
      words.textContent = `Largest |sum of a row|: ${medium(Math.max(...sums))}`;
      return;
    }
    const [i, j] = at;
    words.textContent = `∂x̂ of element ${i} / ∂x of element ${j}: ${full(jacobian.matrix[i][j])}`;
  };
  const go = (cell) => {
    at = cell;
    draw();
    tell();
    point(at ? jacobian.elements[at[1]] : null);
  };
  canvas.addEventListener("pointermove", (event) => {
    if (!jacobian) return;
    const box = canvas.getBoundingClientRect(),
      m = jacobian.matrix.length;
    const place = (value, from, size) => Math.min(m - 1, Math.max(0, Math.floor(((value - from) / size) * m)));
    go([place(event.clientY, box.top, box.height), place(event.clientX, box.left, box.width)]);
  });
  for (const kind of ["pointerleave", "blur"]) canvas.addEventListener(kind, () => go(null));
  canvas.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!step || !jacobian) return;
    event.preventDefault();
    const m = jacobian.matrix.length;
    go((at ?? [0, 0]).map((place, d) => Math.min(m - 1, Math.max(0, place + (at ? step[d] : 0)))));
  });
  document.addEventListener("themechange", draw);
  room.append(canvas);
  new ResizeObserver(once_a_frame(draw)).observe(room);
  return {
    element: make("div", {class: "jacobian-box"}, title, room, words),
    /** {elements, matrix} of the set called `name`, or null. */
    update(next, name) {
      jacobian = next;
      if (at && (!jacobian || at[0] >= jacobian.matrix.length || at[1] >= jacobian.matrix.length)) at = null;
      canvas.hidden = !jacobian;
      title.textContent = jacobian ? `S: ${name}; row i is ∂x̂ᵢ, column j is ∂xⱼ` : "No matrix";
      draw();
      tell();
    },
  };
}
