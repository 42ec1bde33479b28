// ---- grids: a number for each pair of two settings

function grid(block) {
  const values = block.cells.flat().map((cell) => cell.value).filter((value) => value !== null);
  const least = Math.min(...values), most = Math.max(...values);
  const strength = (value) => most > least ? 0.08 + 0.5 * (most - value) / (most - least) : 0.3;
  const plot = make("svg", {class: "plot grid-plot", role: "img", "aria-label": `${block.title}: a map; its numbers are in the table below`});
  const box = make("figure", {class: "chart block"}, block.title ? make("h3", {}, block.title) : null,
    make("div", {class: "chart-bar"}, make("div", {class: "legend quiet"}, "The lower, the stronger the colour; framed: the lowest of a row."),
      make("div", {class: "switches"}, buttons_to_save(() => ({title: block.title, plot, curves: []})))),
    plot, numbers_in(() => ({columns: ["", ...block.columns],
      rows: block.rows.map((name, r) => [name, ...block.cells[r].map((cell) => [cell.text, cell.note].filter(Boolean).join(" "))])})));

  function draw() {
    const width = Math.max(260, plot.parentNode.clientWidth || 900);
    const left = 12 + 7.2 * Math.max(...block.rows.map((name) => name.length)), tall = 46;
    const wide = Math.min(110, (width - left) / block.columns.length);
    const lines = block.columns.map((name) => name.length * 7.2 > wide ? name.split(" ") : [name]);
    const top = 28 + 16 * Math.max(...lines.map((each) => each.length)), height = top + tall * block.rows.length + 2;
    const words = (x, y, text, more = {}) => make("text", {x, y, ...more}, text);
    plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    plot.style.height = `${height}px`;
    plot.replaceChildren(words(left, 12, block.column_label));
    lines.forEach((each, c) => each.forEach((line, i) =>
      plot.append(words(left + wide * (c + 0.5), top - 10 - 16 * (each.length - 1 - i), line, {"text-anchor": "middle"}))));
    block.rows.forEach((name, r) => {
      const y = top + tall * r, row = block.cells[r], finite = row.map((cell) => cell.value).filter((value) => value !== null);
      plot.append(words(left - 8, y + tall / 2 + 4, name, {"text-anchor": "end", class: "name"}));
      row.forEach((cell, c) => {
        const x = left + wide * c, best = cell.value !== null && cell.value === Math.min(...finite);
        const place = {x: x + 1.5, y: y + 1.5, width: wide - 3, height: tall - 3};
        if (cell.value === null) {
          plot.append(make("rect", {...place, class: "frame"}),
            make("line", {class: "grid", x1: x + 2, x2: x + wide - 2, y1: y + 2, y2: y + tall - 2}),
            make("line", {class: "grid", x1: x + 2, x2: x + wide - 2, y1: y + tall - 2, y2: y + 2}));
        } else {
          plot.append(make("rect", {...place, class: "cell", opacity: strength(cell.value).toFixed(3)}));
          if (best) plot.append(make("rect", {...place, class: "frame best"}));
        }
        plot.append(words(x + wide / 2, y + (cell.note ? 20 : 28), cell.text, {"text-anchor": "middle", class: best ? "number best" : "number"}));
        if (cell.note) plot.append(words(x + wide / 2, y + 36, cell.note, {"text-anchor": "middle", class: "note"}));
      });
    });
  }
  draw_to_fit(box, draw);
  return box;
}
