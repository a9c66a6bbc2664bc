// Shows projects, jobs and results. Values go in as text, never as markup.

import { draw } from "/histogram.js";
import { attempt, button, byId, changes, element, follow, get } from "/parts.js";
import { countPytket, countQsys } from "/results.js";

const PAGE_SIZE = 25;
const PROJECTS = 100;
const REFRESH_MILLISECONDS = 2000;
const FINAL = ["COMPLETED", "ERROR", "CANCELLED", "TERMINATED", "DEPLETED"];

const shown = { project: null, page: 0, job: null, status: null };
const isNew = changes(shown);

async function showProjects() {
  const { data } = await get("/api/projects/v1beta2", { "page[size]": PROJECTS });
  if (!isNew("projects", data)) {
    return;
  }
  const choices = data.map(({ id, attributes }) => [id, attributes.name]);
  byId("projects").replaceChildren(
    ...[[null, "All"], ...choices].map(([id, name]) =>
      element(
        "li",
        {},
        button(name, id === shown.project, () => {
          Object.assign(shown, { project: id, page: 0 });
          refresh();
        }),
      ),
    ),
  );
}

async function showJobs() {
  const parameters = { "page[size]": PAGE_SIZE, "page[number]": shown.page };
  if (shown.project !== null) {
    parameters["filter[project][id]"] = shown.project;
  }
  const { data, included } = await get("/api/jobs/v1beta3", parameters);
  const projects = new Map(included.map(({ id, attributes }) => [id, attributes.name]));
  if (isNew("jobs", data)) {
    byId("jobs").replaceChildren(
      ...data.map((job) => jobRow(job, projects.get(job.relationships.project.data.id))),
    );
    byId("newer").disabled = shown.page === 0;
    byId("older").disabled = data.length < PAGE_SIZE;
  }
  const selected = data.find(({ id }) => id === shown.job);
  if (selected && selected.attributes.status.status !== shown.status) {
    await showJob(selected.id);
  }
}

function jobRow({ id, attributes }, project) {
  const { status, queue_position, cost } = attributes.status;
  const row = element(
    "tr",
    {},
    element("td", {}, button(attributes.name, id === shown.job, () => choose(id))),
    element("td", {}, project),
    element("td", {}, attributes.job_type),
    element("td", {}, status),
    element("td", { className: "number" }, String(queue_position ?? "")),
    element("td", { className: "number" }, cost === undefined ? "" : cost.toFixed(2)),
    element("td", {}, new Date(attributes.timestamps.created).toLocaleString()),
  );
  row.dataset.id = id;
  return row;
}

async function choose(id) {
  Object.assign(shown, { job: id, status: null });
  await refresh();
}

async function showJob(id) {
  const { data } = await get(`/api/jobs/v1beta3/${id}`);
  const { name, status, definition } = data.attributes;
  shown.status = status.status;
  byId("job").hidden = false;
  byId("job-title").textContent = name;
  byId("job-message").textContent = sentence(status);
  const before = byId("items").value;
  byId("items").replaceChildren(
    ...definition.items.map((item) =>
      element("option", { value: item.item_id }, `${item.item_id}: ${item.status.status}`),
    ),
  );
  if (definition.items.some(({ item_id }) => String(item_id) === before)) {
    byId("items").value = before;
  }
  const showSelected = () => attempt(() => showItem(definition.items[byId("items").selectedIndex]));
  byId("items").onchange = showSelected;
  await showSelected();
}

function sentence({ status, message, error_detail }) {
  return [`${status}.`, message, error_detail].filter(Boolean).join(" ");
}

async function showItem(item) {
  const figure = byId("histogram").parentElement;
  byId("item-message").textContent = FINAL.includes(item.status.status)
    ? sentence(item.status)
    : "The result comes when the item has completed.";
  figure.hidden = true;
  const counts = await countsOf(item);
  if (counts === null) {
    return;
  }
  byId("histogram-title").textContent = draw(byId("histogram"), counts);
  figure.hidden = false;
}

// Returns the counts of an item; null if it has no shots.
async function countsOf({ result_id, result_type }) {
  if (result_type === "PYTKET") {
    const { data } = await get(`/api/results/v1beta3/${result_id}`);
    return countPytket(data.attributes);
  }
  if (result_type === "QSYS") {
    return countQsys(await shotsOf(result_id));
  }
  return null;
}

// Returns all shots of a QsysResult, which come in parts until there is none left.
async function shotsOf(result_id) {
  const shots = [];
  for (let number = 0; ; number += 1) {
    try {
      const path = `/api/qsys_results/v1beta2/partial/${result_id}`;
      const { data } = await get(path, { chunk_number: number, version: 3 });
      shots.push(...[data.attributes.results].flat());
    } catch (error) {
      if (error.status === 404) {
        return shots;
      }
      throw error;
    }
  }
}

async function refresh() {
  await attempt(async () => {
    await showProjects();
    await showJobs();
  });
}

function turn(pages) {
  shown.page += pages;
  refresh();
}

byId("newer").onclick = () => turn(-1);
byId("older").onclick = () => turn(1);
follow(refresh, REFRESH_MILLISECONDS);
