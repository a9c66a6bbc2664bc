// Shows jobs and the counts of their results.

import { draw } from "/histogram.js";
import { attempt, button, byId, changes, element, follow, get } from "/parts.js";

const REFRESH_MILLISECONDS = 1000;
const WITH_RESULTS = ["Completed", "TimedOut"];

const shown = { job: null };
const isNew = changes(shown);

async function showJobs() {
  const jobs = await get("/page/jobs");
  if (!isNew("jobs", jobs)) {
    return;
  }
  byId("jobs").replaceChildren(...jobs.map(jobRow));
  const selected = jobs.find(({ id }) => id === shown.job);
  if (selected) {
    await showJob(selected);
  }
}

function jobRow({ id, name, qpu, status, queue_position, n_samples, created }) {
  const row = element(
    "tr",
    {},
    element("td", { className: "number" }, String(id)),
    element("td", {}, button(name || "Job", id === shown.job, () => choose(id))),
    element("td", {}, qpu),
    element("td", {}, status),
    element("td", { className: "number" }, String(queue_position ?? "")),
    element("td", { className: "number" }, String(n_samples)),
    element("td", {}, new Date(created).toLocaleString()),
  );
  row.dataset.id = id;
  return row;
}

async function choose(id) {
  shown.job = id;
  await refresh();
}

async function showJob({ id, name, status, notes }) {
  const figure = byId("histogram").parentElement;
  byId("job").hidden = false;
  byId("job-title").textContent = `Job ${id}: ${name}`;
  byId("job-message").textContent = [`${status}.`, notes].filter(Boolean).join(" ");
  figure.hidden = true;
  if (!WITH_RESULTS.includes(status)) {
    return;
  }
  const { results } = await get(`/jobs/${id}/results`);
  if (results !== null) {
    const counts = Object.entries(results).map(([state, count]) => [ket(state), count]);
    byId("histogram-title").textContent = draw(byId("histogram"), counts);
    figure.hidden = false;
  }
}

// Writes "(0, 1, 0)" as "010".
function ket(state) {
  return state.replace(/[^01]/g, "");
}

async function refresh() {
  await attempt(showJobs);
}

follow(refresh, REFRESH_MILLISECONDS);
