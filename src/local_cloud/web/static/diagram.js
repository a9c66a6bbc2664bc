// Draws operations on wires, time from left to right: circuits and interferometers.

import { svgNode } from "/parts.js";

const MOST_WIRES = 64;
const MOST_STEPS = 1000;
const ROW = 34;
const BOX = 24;
const CHARACTER = 7.3;
const NARROWEST = 26;
const GAP = 10;

// Draws steps and returns a sentence about what was left out, empty if nothing was.
//
// wires: their names. steps: lists of marks {wire, kind, text}, of which those of one
// step are linked; kinds are box, control, target, swap and barrier. A mark with
// "to" is one box over several wires.
export function draw(svg, wires, steps) {
  if (wires.length > MOST_WIRES) {
    svg.replaceChildren();
    return `It has ${wires.length} wires; up to ${MOST_WIRES} are drawn.`;
  }
  const shown = steps.slice(0, MOST_STEPS);
  const columns = arrange(shown);
  const left = Math.max(...wires.map((name) => name.length), 0) * CHARACTER + GAP;
  const middle = (wire) => ROW * (wire + 0.5);
  const nodes = [];
  let x = left + GAP;
  for (const column of columns) {
    const width = Math.max(...column.flat().map(widthOf));
    for (const marks of column) {
      nodes.push(...stepNodes(marks, x + width / 2, middle));
    }
    x += width + GAP;
  }
  const height = ROW * wires.length;
  const lines = wires.flatMap((name, wire) => [
    svgNode("text", { x: left - 6, y: middle(wire) + 4, "text-anchor": "end" }, name),
    svgNode("line", { class: "wire", x1: left, x2: x, y1: middle(wire), y2: middle(wire) }),
  ]);
  svg.setAttribute("width", x + GAP);
  svg.setAttribute("height", height);
  svg.replaceChildren(...lines, ...nodes);
  return steps.length > MOST_STEPS
    ? `The first ${MOST_STEPS} of ${steps.length} operations are drawn.`
    : "";
}

// Puts each step into the first column in which all its wires are free.
function arrange(steps) {
  const columns = [];
  const free = new Map();
  for (const marks of steps) {
    const [first, last] = spanOf(marks);
    let column = 0;
    for (let wire = first; wire <= last; wire += 1) {
      column = Math.max(column, free.get(wire) ?? 0);
    }
    for (let wire = first; wire <= last; wire += 1) {
      free.set(wire, column + 1);
    }
    (columns[column] ??= []).push(marks);
  }
  return columns;
}

function spanOf(marks) {
  const wires = marks.flatMap(({ wire, to }) => [wire, to ?? wire]);
  return [Math.min(...wires), Math.max(...wires)];
}

function widthOf({ kind, text }) {
  return kind === "box" ? Math.max(NARROWEST, text.length * CHARACTER + 12) : NARROWEST - 6;
}

function stepNodes(marks, x, middle) {
  const [first, last] = spanOf(marks);
  const link =
    marks.length > 1 && marks[0].kind !== "barrier"
      ? [svgNode("line", { class: "link", x1: x, x2: x, y1: middle(first), y2: middle(last) })]
      : [];
  return [...link, ...marks.flatMap((mark) => markNodes(mark, x, middle))];
}

function markNodes(mark, x, middle) {
  const { wire, to = wire, kind, text = "" } = mark;
  const y = middle(wire);
  switch (kind) {
    case "control":
      return [svgNode("circle", { class: "dot", cx: x, cy: y, r: 4.5 })];
    case "target":
      return [
        svgNode("circle", { class: "ring", cx: x, cy: y, r: 9 }),
        svgNode("path", { class: "link", d: `M${x - 9} ${y}H${x + 9}M${x} ${y - 9}V${y + 9}` }),
      ];
    case "swap":
      return [
        svgNode("path", {
          class: "link",
          d: `M${x - 6} ${y - 6}L${x + 6} ${y + 6}M${x - 6} ${y + 6}L${x + 6} ${y - 6}`,
        }),
      ];
    case "barrier":
      return [
        svgNode("line", { class: "barrier", x1: x, x2: x, y1: y - ROW / 2, y2: y + ROW / 2 }),
      ];
    default: {
      const width = widthOf(mark);
      const bottom = middle(to);
      return [
        svgNode("rect", {
          class: "box",
          x: x - width / 2,
          y: y - BOX / 2,
          width,
          height: bottom - y + BOX,
          rx: 3,
        }),
        svgNode("text", { x, y: (y + bottom) / 2 + 4, "text-anchor": "middle" }, text),
      ];
    }
  }
}
