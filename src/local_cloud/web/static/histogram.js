// Draws a histogram as SVG. Texts go in as text, never as markup.

const MOST = 32;
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 960;
const HEIGHT = 320;
const LEFT = 56;
const TOP = 12;
const CHARACTER = 6.7;
const LONGEST = 20;

// Draws the most frequent outcomes and returns the caption.
export function draw(svg, counts) {
  const all = [...counts].sort((a, b) => b[1] - a[1]);
  const shown = all.slice(0, MOST).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const most = Math.max(...shown.map(([, count]) => count), 1);
  const longest = Math.max(...shown.map(([outcome]) => shorten(outcome).length), 1);
  const bottom = HEIGHT - 14 - longest * CHARACTER;
  const step = (WIDTH - LEFT) / Math.max(shown.length, 1);

  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.replaceChildren(
    ...ticks(most).flatMap((count) => grid(count, height(count))),
    ...shown.map(([outcome, count], index) => bar(outcome, count, index)),
  );

  const shots = all.reduce((sum, [, count]) => sum + count, 0);
  const part = all.length > MOST ? `the ${MOST} most frequent of ` : "";
  return `${shots} shots: ${part}${all.length} outcomes`;

  function height(count) {
    return bottom - ((bottom - TOP) * count) / most;
  }

  function grid(count, y) {
    return [
      node("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y }),
      node("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, String(count)),
    ];
  }

  function bar(outcome, count, index) {
    const x = LEFT + step * index;
    const middle = x + step / 2;
    const y = height(count);
    const rect = node("rect", {
      x: x + step * 0.1,
      y,
      width: Math.min(step * 0.8, 80),
      height: bottom - y,
    });
    rect.append(node("title", {}, `${outcome}: ${count}`));
    const label = node(
      "text",
      {
        x: Math.min(middle, x + step * 0.1 + 40) + 4,
        y: bottom + 6,
        transform: `rotate(-90 ${Math.min(middle, x + step * 0.1 + 40) + 4} ${bottom + 6})`,
        "text-anchor": "end",
      },
      shorten(outcome),
    );
    const group = node("g", {});
    group.append(rect, label);
    return group;
  }
}

function ticks(most) {
  return [...new Set([0, Math.round(most / 2), most])];
}

function shorten(outcome) {
  return outcome.length > LONGEST ? `${outcome.slice(0, LONGEST - 1)}…` : outcome;
}

function node(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.textContent = text;
  return made;
}
