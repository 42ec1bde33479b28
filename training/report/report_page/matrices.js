// ---- matrices

// Cells are tinted, so that the ink of the page stays readable on them, in light and dark.
function matrices(block) {
  const values = block.matrices.flatMap((matrix) => matrix.values.flat()).filter(Number.isFinite);
  const largest = Math.max(...values.map(Math.abs), Number.MIN_VALUE);
  const tint = (value) => Number.isFinite(value) && value !== 0 ? `background: color-mix(in srgb, ${value < 0 ? "var(--curve-0)" : "var(--curve-1)"} ` +
    `${Math.round(55 * Math.abs(value) / largest)}%, var(--card))` : "background: var(--card)";
  const number = (value) => value === null ? "NaN" : value.toFixed(block.decimals).replace(/^-(0\.?0*)$/, "$1");
  return make("div", {class: "block"}, block.title ? make("h3", {}, block.title) : null, make("div", {class: "matrices"},
    block.matrices.map((matrix) => make("table", {}, matrix.caption ? make("caption", {}, matrix.caption) : null,
      make("tbody", {}, matrix.values.map((row) => make("tr", {}, row.map((value) => make("td", {style: tint(value)}, number(value))))))))));
}
