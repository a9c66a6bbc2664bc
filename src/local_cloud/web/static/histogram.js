// Draws a histogram as a table: outcomes in full, bars, and their standard errors.

import { element, number, svgNode } from "/parts.js";

const MOST = 32;
const LONG = 40;

// Returns the probability of an outcome and its binomial standard error.
export function estimate(count, total) {
  const p = count / total;
  return [p, Math.sqrt((p * (1 - p)) / total)];
}

// Draws the most frequent outcomes and returns the caption.
//
// counts: pairs of an outcome and how often it was seen; unit: what is counted.
export function draw(table, counts, unit = "shots") {
  const all = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const total = all.reduce((sum, [, count]) => sum + count, 0);
  const shown = all.slice(0, MOST);
  if (all.length <= MOST) {
    shown.sort((a, b) => (a[0] < b[0] ? -1 : 1));
  }
  const bars = shown.map(([outcome, count]) => [outcome, count, ...estimate(count, total)]);
  const most = Math.max(...bars.map(([, , p, error]) => p + error), 0);
  const isLong = shown.some(([outcome]) => outcome.length > LONG);
  table.replaceChildren(
    element(
      "thead",
      {},
      element("tr", {}, head("Outcome"), head("Probability"), head("Count"), head("p ± σ")),
    ),
    element("tbody", {}, ...bars.map((one) => bar(...one, most, isLong))),
  );
  const outcomes = `${total} ${unit}, ${all.length} ${all.length === 1 ? "outcome" : "outcomes"}`;
  const part = shown.reduce((sum, [, count]) => sum + count, 0);
  const cut =
    all.length > MOST ? ` The ${MOST} most frequent are shown, with ${part} of the ${unit}.` : "";
  return `${outcomes}.${cut} Error bars are one binomial standard error.`;
}

function head(text) {
  const isNumber = text === "Count" || text === "p ± σ";
  return element("th", { scope: "col", className: isNumber ? "number" : "" }, text);
}

function bar(outcome, count, p, error, most, isLong) {
  const at = (value) => (100 * value) / (most || 1);
  const svg = svgNode("svg", { viewBox: "0 0 100 16", preserveAspectRatio: "none" });
  const [low, high] = [at(p - error), at(p + error)];
  svg.append(
    svgNode("rect", { x: 0, y: 1, width: at(p), height: 14 }),
    svgNode("path", { d: `M${low} 8H${high}M${low} 4V12M${high} 4V12` }),
  );
  svg.setAttribute("aria-hidden", "true");
  return element(
    "tr",
    {},
    element("th", { scope: "row", className: isLong ? "outcome long" : "outcome" }, outcome),
    element("td", { className: "bar" }, svg),
    element("td", { className: "number" }, number(count)),
    element("td", { className: "number" }, `${p.toFixed(4)} ± ${error.toFixed(4)}`),
  );
}
