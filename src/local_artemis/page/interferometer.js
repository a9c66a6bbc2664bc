// Draws what a photonic job runs: the components of a circuit, and a matrix.

import { svgNode } from "/parts.js";

const CELL = 18;
const MOST_MODES = 40;

// Returns the steps of a drawing of components as Lightworks writes them: pairs of a
// type and its arguments.
export function stepsOf(components) {
  return components.map(([type, its]) => marksOf(type, its)).filter((marks) => marks.length);
}

function marksOf(type, its) {
  const box = (wire, text, to) => ({ wire, to, kind: "box", text });
  const over = (first, second, text) => {
    const [low, high] = [Math.min(first, second), Math.max(first, second)];
    return high - low === 1 ? [box(low, text, high)] : [box(low, text), box(high, text)];
  };
  switch (type) {
    case "BeamSplitter":
      return over(its.mode_1, its.mode_2, `R=${short(its.reflectivity)}`);
    case "PhaseShifter":
      return [box(its.mode, `φ=${short(its.phi)}`)];
    case "Loss":
      return [box(its.mode, `loss ${short(its.loss)}`)];
    case "Barrier":
      return its.modes.map((wire) => ({ wire, kind: "barrier" }));
    case "ModeSwaps":
      return Object.entries(its.swaps).map(([from, to]) => box(Number(from), `→ ${to}`));
    case "UnitaryMatrix":
      return [box(its.mode, its.label || "U", its.mode + its.unitary.length - 1)];
    case "Group":
      return [box(its.mode_1, its.name || "group", its.mode_2)];
    default:
      return [];
  }
}

const short = (value) => String(Number(Number(value).toPrecision(4)));

// Draws a matrix of complex numbers, and returns what the drawing shows.
export function drawMatrix(svg, rows) {
  svg.replaceChildren();
  if (rows.length > MOST_MODES) {
    return `The matrix has ${rows.length} modes; up to ${MOST_MODES} are drawn.`;
  }
  const side = CELL * rows.length;
  svg.setAttribute("width", side);
  svg.setAttribute("height", side);
  svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
  svg.append(...rows.flatMap((row, i) => row.map((entry, j) => cell(entry, i, j))));
  return "The unitary matrix: opacity is the modulus of an entry, colour its phase.";
}

function cell(entry, i, j) {
  const [re, im] = complexOf(String(entry));
  const modulus = Math.hypot(re, im);
  const phase = Math.atan2(im, re);
  const rect = svgNode("rect", {
    ...{ x: CELL * j, y: CELL * i, width: CELL, height: CELL },
    fill: `hsl(${Math.round((180 * phase) / Math.PI + 220)}, 65%, 50%)`,
    "fill-opacity": modulus.toFixed(3),
  });
  const text = `Row ${i}, column ${j}: ${entry}; modulus ${modulus.toFixed(4)}`;
  rect.append(svgNode("title", {}, text));
  return rect;
}

// Reads a complex number in Python's notation, such as "(0.5-1e-3j)".
export function complexOf(text) {
  const plain = text.replace(/[()\s]/g, "");
  if (!/j$/i.test(plain)) {
    return [Number(plain), 0];
  }
  const [, re, im] = /^(.*?)([+-]?[^+-]*(?:e[+-]?\d+)?)j$/i.exec(plain);
  return [Number(re || 0), Number(im === "+" || im === "-" || im === "" ? `${im}1` : im)];
}
