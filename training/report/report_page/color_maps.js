// ---- colour maps

// Colours for 0 to 1 that grow steadily lighter, so that they also say something in grey and to the colour-blind.
const color_stops = [[30, 18, 54], [78, 26, 105], [138, 36, 104], [194, 62, 80], [232, 112, 52], [246, 174, 62], [250, 236, 160]];
function color_at(share) {
  const place = Math.min(1, Math.max(0, share)) * (color_stops.length - 1);
  const i = Math.min(color_stops.length - 2, Math.floor(place));
  return color_stops[i].map((from, c) => Math.round(from + (place - i) * (color_stops[i + 1][c] - from)));
}

// One cell a pixel; the browser enlarges it.
function paint_map(values, share) {
  const canvas = make("canvas", {width: values[0].length, height: values.length});
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  values.flat().forEach((value, i) => {
    const at = share(value);
    pixels.data.set(at === null ? [0, 0, 0, 0] : [...color_at(at), 255], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function color_maps(block) {
  const drawable = (value) => value !== null && (!block.log_scale || value > 0);
  const bend = block.log_scale ? Math.log : (value) => value;
  let low = Infinity, high = -Infinity;
  for (const map of block.maps) {
    for (const value of map.values.flat()) {
      if (drawable(value)) { low = Math.min(low, value); high = Math.max(high, value); }
    }
  }
  const share = (value) => !drawable(value) ? null : high > low ? (bend(value) - bend(low)) / (bend(high) - bend(low)) : 0.5;

  const ramp = make("span", {class: "ramp", "aria-hidden": "true",
    style: `background: linear-gradient(to right, ${color_stops.map((color) => `rgb(${color})`).join(", ")})`});
  const scale = make("div", {class: "scale"}, block.value_label ? make("span", {}, block.value_label) : null,
    make("span", {class: "ends"}, format(low)), ramp, make("span", {class: "ends"}, format(high)),
    block.log_scale ? make("span", {}, "log scale") : null);

  const figures = block.maps.filter((map) => map.values.length > 0 && map.x.length > 0).map((map) => {
    const rows = map.values.length, columns = map.x.length;
    const resting = `${block.x_label} ${format(map.x[0])} to ${format(map.x[columns - 1])}, ${block.row_label} 0 to ${rows - 1}`;
    const words = make("figcaption", {}, resting);
    const mark = make("span", {class: "mark", hidden: true});
    const box = make("div", {class: "color-map", tabindex: 0, role: "slider", "aria-valuemin": 0, "aria-valuemax": rows * columns - 1,
      "aria-label": `${block.title}: ${map.caption}`}, paint_map(map.values, share), mark);
    let at = null;  // the row and column that the reader points at
    const tell = () => {
      const [row, column] = at ?? [0, 0];
      const text = `${block.x_label} ${format(map.x[column])}, ${block.row_label} ${row}: ${format(map.values[row][column])}`;
      words.textContent = at ? text : resting;
      box.setAttribute("aria-valuenow", row * columns + column);
      box.setAttribute("aria-valuetext", text);
      mark.hidden = !at;
      mark.style.cssText = `left: ${100 * column / columns}%; top: ${100 * row / rows}%; width: ${100 / columns}%; height: ${100 / rows}%`;
    };
    const go = (row, column) => { at = [Math.min(rows - 1, Math.max(0, row)), Math.min(columns - 1, Math.max(0, column))]; tell(); };
    const point = (event) => {
      const frame = box.getBoundingClientRect();
      go(Math.floor((event.clientY - frame.top) / frame.height * rows), Math.floor((event.clientX - frame.left) / frame.width * columns));
    };
    box.addEventListener("pointermove", point);
    box.addEventListener("pointerdown", point);
    for (const kind of ["pointerleave", "blur"]) box.addEventListener(kind, () => { at = null; tell(); });
    box.addEventListener("keydown", (event) => {
      const [row, column] = at ?? [0, 0];
      const next = {ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
        Home: [row, 0], End: [row, columns - 1]}[event.key];
      if (!next) return;
      event.preventDefault();
      go(...next);
    });
    tell();
    return make("figure", {}, make("div", {class: "map-title"}, map.caption), box, words);
  });
  return make("div", {class: "block"}, block.title ? make("h3", {}, block.title) : null,
    figures.length === 0 ? make("p", {class: "quiet"}, "No values yet") : [scale, make("div", {class: "scroll"},
      make("div", {class: block.columns ? "color-maps fixed" : "color-maps", style: block.columns ? `--columns: ${block.columns}` : undefined},
        figures))]);
}
