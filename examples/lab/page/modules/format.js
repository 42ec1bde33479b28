const minus = (text) => text.replace(/^-/, "−").replace(/e-/, "e−").replace("e+", "e");

/** A number in at most six characters, for the cell of a tensor. */
export function short(value) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size < 1e-12) return "0"; // what rounding leaves of a 0 is no number to look at; full() has it
  if (size >= 1e4 || size < 0.01) return minus(value.toExponential(0));
  return minus(String(Number(value.toPrecision(size < 0.1 ? 2 : 3))));
}

/** A number in about five digits, for texts and tables. */
export function medium(value) {
  if (!Number.isFinite(value)) return short(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return minus(value.toExponential(2));
  return minus(String(Number(value.toPrecision(5))));
}

/** All digits: the shortest text that reads back as the same double. */
export const full = (value) => minus(String(value));

/** What a reader typed, as a number: a comma or a typographic minus will do. NaN for what is none. */
export function parse_number(text) {
  const plain = text.trim().replace(/−/g, "-").replace(",", ".");
  return plain === "" ? NaN : Number(plain);
}
