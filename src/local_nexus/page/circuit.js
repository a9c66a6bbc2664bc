// Turns a circuit of pytket, as JSON, into the steps of a drawing.

// Type of a controlled gate: how many controls it has, and what its target shows.
const CONTROLLED = {
  CX: [1, null],
  CY: [1, "Y"],
  CZ: [1, "Z"],
  CH: [1, "H"],
  CRx: [1, "Rx"],
  CRy: [1, "Ry"],
  CRz: [1, "Rz"],
  CU1: [1, "U1"],
  CU3: [1, "U3"],
  CV: [1, "V"],
  CSX: [1, "SX"],
  CCX: [2, null],
};
const LONGEST = 40;

// Returns the names of the wires, the steps, and how many operations have no qubit.
export function stepsOf({ qubits, commands }) {
  const wires = qubits.map(nameOf);
  const places = new Map(wires.map((name, wire) => [name, wire]));
  const steps = commands.map((command) => marksOf(command, places));
  const drawn = steps.filter((marks) => marks.length);
  return { wires, steps: drawn, nUndrawn: steps.length - drawn.length };
}

function nameOf([register, indices]) {
  return `${register}[${indices.join(",")}]`;
}

function marksOf({ op, args }, places) {
  let names = args.map(nameOf);
  let condition = "";
  while (op.conditional) {
    const { width, value } = op.conditional;
    condition += `if ${names.slice(0, width).join(",")}=${value}: `;
    names = names.slice(width);
    op = op.conditional.op;
  }
  const wires = names.filter((name) => places.has(name)).map((name) => places.get(name));
  const bits = names.filter((name) => !places.has(name)).join(",");
  return wires.length ? marksOn(op, wires, bits, condition) : [];
}

function marksOn(op, wires, bits, condition) {
  const box = (wire, text, to) => ({ wire, to, kind: "box", text: shorten(text) });
  if (op.type === "Barrier") {
    return wires.map((wire) => ({ wire, kind: "barrier" }));
  }
  if (op.type === "Measure") {
    return [box(wires[0], `${condition}M ${bits}`)];
  }
  if (op.type === "SWAP" && !condition) {
    return wires.map((wire) => ({ wire, kind: "swap" }));
  }
  if (op.type in CONTROLLED) {
    const [nControls, target] = CONTROLLED[op.type];
    const isPlain = target === null && !condition;
    return wires.map((wire, index) => {
      if (index < nControls) {
        return { wire, kind: "control" };
      }
      const text = `${condition}${target ?? "X"}${parametersOf(op)}`;
      return isPlain ? { wire, kind: "target" } : box(wire, text);
    });
  }
  const name = `${condition}${op.box?.circuit?.name || op.type}${parametersOf(op)}`;
  const text = bits ? `${name} ${bits}` : name;
  if (wires.length === 1) {
    return [box(wires[0], text)];
  }
  const [first, last] = [Math.min(...wires), Math.max(...wires)];
  const isInOrder = wires.every((wire, index) => wire === first + index);
  return isInOrder
    ? [box(first, text, last)]
    : wires.map((wire, index) => box(wire, `${index ? op.type : text}:${index}`));
}

function parametersOf({ params }) {
  return params?.length ? `(${params.map(rounded).join(", ")})` : "";
}

// An angle is a number as text, or an expression with symbols.
function rounded(angle) {
  const value = Number(angle);
  return Number.isNaN(value) ? String(angle) : String(Number(value.toPrecision(4)));
}

function shorten(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
