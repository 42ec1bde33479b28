const svg_names = new Set(["svg", "g", "path", "line", "rect", "circle", "text"]);

/**
 * make("a", {href: "#x", onclick: f}, "text", child...): an element with attributes, handlers and children.
 * Text is only ever inserted as text, never as HTML. Children that are null or undefined are left out.
 */
export function make(name, attributes = {}, ...children) {
  const element = svg_names.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

let next_id = 0;
/** An id that nothing else on the page has, for labels. */
export const new_id = (stem) => `${stem}-${next_id++}`;

/** Calls `run` once before the next frame, however often the result is called until then. */
export function once_a_frame(run) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      run();
    });
  };
}

/** Calls `run` when the result has not been called for so many milliseconds. */
export function when_quiet(milliseconds, run) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
}

/** How wide a drawing may be, in pixels: letters in it keep their size on a phone. */
export const room_for = (svg) => Math.max(240, Math.min(640, svg.parentElement?.clientWidth || 440));
