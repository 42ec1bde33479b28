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

const verdicts = {holds: ["✓", "held"], partly: ["◐", "held in part"], fails: ["✗", "did not hold"], open: ["…", "not measured"]};
function findings(block) {
  return make("ul", {class: "block findings"}, block.findings.map((finding) => {
    const [sign, words] = verdicts[finding.verdict];
    return make("li", {class: finding.verdict}, make("span", {class: "sign", "aria-hidden": "true"}, sign),
      make("div", {}, make("p", {class: "claim"}, finding.claim), make("p", {class: "verdict"}, words),
        make("p", {class: "quiet"}, finding.evidence)));
  }));
}
