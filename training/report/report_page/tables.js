// ---- tables and words

function table(block) {
  const is_number = (text) => /^[-+–]?[\d.,]*(e-?\d+)?( ?[±] ?[\d.]+(e-?\d+)?)?( ?(%|x|×|s|ms|min|MB|GB|dB))?$/.test(text);
  const numeric = block.columns.map((_, c) => block.rows.length > 0 && block.rows.every((row) => is_number(row[c])));
  const cell = (name, text, c) => make(name, {class: numeric[c] ? "number" : undefined, scope: name === "th" ? "col" : undefined}, text);
  return make("div", {class: "scroll block", tabindex: 0, role: "region", "aria-label": block.title || "Table"}, make("table", {},
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

// An effect on a line: each measurement a ring, the mean a dot on its interval, the threshold a dashed upright.
function effect_line(effect) {
  const width = 320, height = 46, middle = 16, marks = [...effect.values, effect.low, effect.high, effect.threshold, 0];
  const least = Math.min(...marks), most = Math.max(...marks), reach = most - least || 1;
  const at = (value) => 12 + (width - 24) * (value - least) / reach;
  const text = (value) => (100 * value).toFixed(100 * reach < 10 ? 1 : 0) + " %";
  const line = (from, to, kind) => make("line", {x1: at(from), x2: at(to), y1: middle, y2: middle, class: kind});
  const label = (value, words) => make("text", {x: at(value), y: height - 4,
    "text-anchor": at(value) < 60 ? "start" : at(value) > width - 60 ? "end" : "middle"}, words);
  return make("svg", {class: "effect", viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `Mean ${text(effect.mean)}, interval ${text(effect.low)} to ${text(effect.high)}, threshold ${text(effect.threshold)}`},
    line(least, most, "axis"), line(effect.low, effect.high, "interval"),
    make("line", {x1: at(effect.threshold), x2: at(effect.threshold), y1: 2, y2: height - 16, class: "threshold"}),
    effect.values.map((value) => make("circle", {cx: at(value), cy: middle, r: 3.5, class: "one"})),
    make("circle", {cx: at(effect.mean), cy: middle, r: 5.5, class: "mean"}),
    label(effect.threshold, "threshold " + text(effect.threshold)));
}
function findings(block) {
  return make("ul", {class: "block findings"}, block.findings.map((finding) => {
    const [sign, words] = verdicts[finding.verdict];
    return make("li", {class: finding.verdict}, make("span", {class: "sign", "aria-hidden": "true"}, sign),
      make("div", {}, make("p", {class: "claim"}, finding.claim), make("p", {class: "verdict"}, words),
        finding.effect ? effect_line(finding.effect) : null, make("p", {class: "quiet"}, finding.evidence)));
  }));
}
