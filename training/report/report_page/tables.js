// ---- tables and words

function table(block) {
  const is_number = (text) => /^[-+–]?[\d.,]*(e-?\d+)?( ?[±] ?[\d.]+(e-?\d+)?)?( ?(%|x|×|s|ms|min|MB|GB|dB))?$/.test(text);
  const numeric = block.columns.map((_, c) => block.rows.length > 0 && block.rows.every((row) => is_number(row[c])));
  const cell = (name, text, c) => make(name, {class: numeric[c] ? "number" : undefined, scope: name === "th" ? "col" : undefined}, text);
  return make("div", {class: "scroll block", tabindex: 0, role: "region", "aria-label": block.title || "Table"}, make("table", {class: block.columns.length > 7 ? "wide" : undefined},
    block.title ? make("caption", {}, make("h3", {style: "margin: 0"}, block.title)) : null,
    make("thead", {}, make("tr", {}, block.columns.map((text, c) => cell("th", text, c)))),
    make("tbody", {}, block.rows.map((row) => make("tr", {}, row.map((text, c) =>
      c === 0 && !numeric[0] ? make("th", {scope: "row"}, text) : cell("td", text, c)))))));
}

function pairs(entries, kind) {
  return make("dl", {class: kind}, entries.map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, value))));
}

const paragraphs = (texts) => texts.map((text) => make("p", {}, text));

// ---- findings

const verdicts = {supported: ["✓", "supported"], contradicted: ["✗", "contradicted"], undecided: ["?", "undecided"],
  indicative: ["~", "indicative only"], open: ["…", "not measured"]};

// An effect on a line: each measurement a ring, the mean a dot on its interval, the threshold a dashed upright. What is pointed
// at, or reached by the arrow keys, is read below the line.
function effect_line(effect) {
  const width = 320, height = 46, middle = 16, marks = [...effect.values, effect.low, effect.high, effect.threshold, 0];
  const least = Math.min(...marks), most = Math.max(...marks), reach = most - least || 1;
  const at = (value) => 12 + (width - 24) * (value - least) / reach;
  const text = (value) => (100 * value).toFixed(100 * reach < 10 ? 1 : 0) + " %";
  const line = (from, to, kind) => make("line", {x1: at(from), x2: at(to), y1: middle, y2: middle, class: kind});
  const label = make("text", {y: height - 4});
  const mean_words = `mean ${text(effect.mean)}, interval ${text(effect.low)} to ${text(effect.high)}`;
  const threshold = {value: effect.threshold, words: `threshold ${text(effect.threshold)}`};
  const points = [...effect.values.map((value, i) => ({value, words: `${text(value)}, ${i + 1} of ${effect.values.length}`,
    ring: make("circle", {cx: at(value), cy: middle, r: 3.5, class: "one"})})),
    {value: effect.mean, words: mean_words, ring: make("circle", {cx: at(effect.mean), cy: middle, r: 5.5, class: "mean"})}, threshold]
    .sort((a, b) => a.value - b.value);
  const svg = make("svg", {class: "effect", viewBox: `0 0 ${width} ${height}`, role: "slider", tabindex: 0,
    "aria-label": `Measurements, mean and threshold of the effect: ${mean_words}`, "aria-valuemin": 0, "aria-valuemax": points.length - 1},
    line(least, most, "axis"), line(effect.low, effect.high, "interval"),
    make("line", {x1: at(effect.threshold), x2: at(effect.threshold), y1: 2, y2: height - 16, class: "threshold"}),
    points.filter((point) => point.ring && point.words !== mean_words).map((point) => point.ring),
    points.find((point) => point.words === mean_words).ring, label);
  let here = null;
  function tell(index) {
    here = index;
    const {value, words} = points[index] ?? threshold, x = at(value);
    const near = 4 * words.length;
    label.setAttribute("x", Math.min(width - 2, Math.max(2, x)));
    label.setAttribute("text-anchor", x < near ? "start" : x > width - near ? "end" : "middle");
    label.textContent = words;
    label.classList.toggle("here", index !== null);
    points.forEach((point, i) => point.ring?.classList.toggle("read", i === index));
    svg.setAttribute("aria-valuenow", index ?? points.indexOf(threshold));
    svg.setAttribute("aria-valuetext", words);
  }
  const point = (event) => {
    const frame = svg.getBoundingClientRect(), x = (event.clientX - frame.left) * width / frame.width;
    tell(points.reduce((best, each, i) => Math.abs(at(each.value) - x) < Math.abs(at(points[best].value) - x) ? i : best, 0));
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerdown", point);
  svg.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") tell(null); });
  svg.addEventListener("blur", () => tell(null));
  svg.addEventListener("keydown", (event) => {
    const last = points.length - 1;
    const next = {ArrowLeft: (here ?? last + 1) - 1, ArrowRight: (here ?? -1) + 1, Home: 0, End: last}[event.key];
    if (next === undefined) return;
    event.preventDefault();
    tell(Math.min(last, Math.max(0, next)));
  });
  tell(null);
  return svg;
}

function findings(block) {
  return make("ul", {class: "block findings"}, block.findings.map((finding) => {
    const [sign, words] = verdicts[finding.verdict];
    return make("li", {class: finding.verdict}, make("span", {class: "sign", "aria-hidden": "true"}, sign),
      make("div", {}, make("p", {class: "claim"}, finding.claim), make("p", {class: "verdict"}, words),
        finding.effect ? effect_line(finding.effect) : null, make("p", {class: "quiet"}, finding.evidence)));
  }));
}
