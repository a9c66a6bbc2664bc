// Counts how often each outcome was measured, from results as the API gives them.

// A BackendResult of pytket: bits are packed eight to a byte, the first one highest.
export function countPytket(result) {
  if (result.shots) {
    const { width, array } = result.shots;
    return tally(array.map((bytes) => [readBits(width, bytes), 1]));
  }
  if (result.counts) {
    return tally(
      result.counts.map(({ outcome, count }) => [
        readBits(outcome.width, outcome.array[0]),
        count,
      ]),
    );
  }
  return null;
}

// The shots of a QsysResult: lists of tags with values.
export function countQsys(shots) {
  return tally(
    shots.map((shot) => [
      shot.map(([tag, value]) => `${tag}=${[value].flat().join("")}`).join(" "),
      1,
    ]),
  );
}

function readBits(width, bytes) {
  return bytes
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("")
    .slice(0, width);
}

function tally(entries) {
  const counts = new Map();
  for (const [outcome, count] of entries) {
    counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  }
  return counts;
}
