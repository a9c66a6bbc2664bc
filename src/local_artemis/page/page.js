// Shows jobs, what they run, and the counts of their results.

import { draw as drawWires } from "/diagram.js";
import { draw as drawCounts, estimate } from "/histogram.js";
import { drawMatrix, stepsOf } from "/interferometer.js";
import {
  addressOf,
  badge,
  button,
  byId,
  changes,
  element,
  fill,
  follow,
  get,
  number,
  place,
  post,
  remember,
  row,
  saveCsv,
  saveJson,
  sentences,
  showPart,
  time,
} from "/parts.js";

const REFRESH_MILLISECONDS = 1000;
const MOST_LISTED = 100;
const WITH_RESULTS = ["Completed", "TimedOut"];
const KINDS = { Completed: "good", Cancelled: "ended", Failed: "bad", TimedOut: "bad" };
const LABELS = ["Name", "Id", "QPU", "Status", "Queue position", "Samples", "Submitted (UTC)"];

const isNew = changes();
const payloadOf = remember((id) => get(`/page/jobs/${id}/payload`));

async function refresh() {
  const id = place().get("job");
  if (id !== null) {
    await showJob(id);
    return;
  }
  const jobs = await get("/page/jobs");
  if (isNew("jobs", jobs)) {
    byId("jobs").replaceChildren(...jobs.map(jobRow));
    byId("empty").hidden = jobs.length > 0;
    byId("cut").hidden = jobs.length < MOST_LISTED;
  }
  showPart(false, "Embedded Artemis");
}

function jobRow({ id, name, qpu, status, queue_position, n_samples, created }) {
  return row(
    LABELS,
    [
      element("a", { href: addressOf({ job: id }) }, name || "Job"),
      number(id),
      qpu,
      badgeOf(status),
      number(queue_position),
      number(n_samples),
      time(created),
    ],
    { id },
  );
}

function badgeOf(status) {
  return badge(status, KINDS[status] ?? "waiting");
}

async function showJob(id) {
  const job = await get(`/page/jobs/${id}`);
  if (isNew("job", job)) {
    const payload = await payloadOf(id);
    const position = job.queue_position === null ? "" : `Queue position ${job.queue_position}.`;
    byId("job-title").textContent = `Job ${id}: ${job.name}`;
    byId("job-message").replaceChildren(
      badgeOf(job.status),
      ` ${sentences(position, job.notes)}`,
    );
    showActions(job, payload);
    showFacts(job, payload);
    showProgram(payload);
    byId("log").replaceChildren(...job.logs.map(logRow));
    byId("config").textContent = JSON.stringify({ ...payload, unitary: undefined }, null, 2);
    await showResults(job);
  }
  showPart(true, `Job ${id}: ${job.name} - Embedded Artemis`);
}

function showFacts(job, payload) {
  const { id, qpu, user, n_samples, min_detection, created, updated } = job;
  fill(byId("facts"), [
    ["Job id", id],
    ["QPU", qpu],
    ["User", user],
    ["Modes", payload.n_modes],
    ["Input", `|${payload.input.join(",")}⟩`],
    ["Samples", n_samples],
    ["Least detections", min_detection],
    ["Encoding", payload.direct_implementation ? "the circuit, as it is" : "the matrix"],
    ["Lightworks", payload.lightworks_version],
    ["Submitted (UTC)", time(created)],
    ["Updated (UTC)", time(updated)],
  ]);
}

function showProgram({ unitary, circuit_spec, n_modes }) {
  const svg = byId("drawing");
  const wires = Array.from({ length: n_modes }, (_, mode) => `mode ${mode}`);
  svg.parentElement.hidden = !circuit_spec;
  byId("drawing-note").textContent = circuit_spec
    ? sentences("Phases in radians", drawWires(svg, wires, stepsOf(circuit_spec)))
    : "";
  byId("matrix-note").textContent = drawMatrix(byId("matrix"), unitary);
}

function logRow({ createdDate, message, meta }) {
  const errors = (meta.CompilationErrors ?? []).map(({ Code, Message }) => `${Code}: ${Message}`);
  return element(
    "tr",
    {},
    element("td", {}, time(createdDate)),
    element("td", {}, sentences(message, ...errors)),
  );
}

function showActions(job, payload) {
  const isWaiting = !(job.status in KINDS);
  byId("actions").replaceChildren(
    button("Download JSON", () =>
      act(async () =>
        saveJson(`job-${job.id}.json`, {
          job: { ...job, payload },
          results: Object.fromEntries((await countsOf(job)) ?? []),
        }),
      ),
    ),
    button("Download CSV", () =>
      act(async () => saveCsv(`job-${job.id}.csv`, csvOf(job, (await countsOf(job)) ?? []))),
    ),
    isWaiting
      ? button("Cancel job", () => act(() => post(`/page/jobs/${job.id}/cancel`)), "danger")
      : "",
  );
}

// Does what a button is for, and shows what has changed.
async function act(work) {
  try {
    await work();
    await next();
  } catch (error) {
    byId("notice").textContent = error.message;
  }
}

// Returns outcomes, such as "|0,1⟩", with their counts; null if there are none.
async function countsOf({ id, status }) {
  if (!WITH_RESULTS.includes(status)) {
    return null;
  }
  const { results } = await get(`/jobs/${id}/results`);
  return results === null
    ? null
    : Object.entries(results).map(([state, count]) => [ket(state), count]);
}

// Writes "(0, 1, 0)" as "|0,1,0⟩".
function ket(state) {
  return `|${state.replace(/[^0-9,]/g, "").replace(/,$/, "")}⟩`;
}

function csvOf({ id, name }, counts) {
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return [
    ["job", "name", "outcome", "count", "probability", "standard_error"],
    ...counts.map(([outcome, count]) => [id, name, outcome, count, ...estimate(count, total)]),
  ];
}

async function showResults(job) {
  byId("results").hidden = !WITH_RESULTS.includes(job.status);
  byId("histogram").replaceChildren();
  try {
    const counts = await countsOf(job);
    byId("histogram-title").textContent =
      counts === null
        ? "There are no samples."
        : drawCounts(byId("histogram"), counts, "samples");
  } catch (error) {
    byId("histogram-title").textContent = error.message;
  }
}

const next = follow(refresh, REFRESH_MILLISECONDS);
