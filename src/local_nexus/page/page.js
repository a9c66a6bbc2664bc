// Shows projects, jobs, programs and results.

import { stepsOf } from "/circuit.js";
import { draw as drawWires } from "/diagram.js";
import { draw as drawCounts, estimate } from "/histogram.js";
import {
  addressOf,
  badge,
  button,
  byId,
  changes,
  choice,
  code,
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
import { countPytket, countQsys } from "/results.js";

const PAGE_SIZE = 25;
const PROJECTS = 100;
const REFRESH_MILLISECONDS = 2000;
const JOB_LABELS = [
  ...["Name", "Project", "Device", "Type", "Status"],
  ...["Queue position", "Cost (HQC)", "Submitted (UTC)"],
];
const ITEM_LABELS = ["Program", "Type", "Shots", "Status", "Cost (HQC)"];
const KINDS = { COMPLETED: "good", CANCELLED: "ended", TERMINATED: "ended" };
const FAILED = ["ERROR", "DEPLETED"];
const EVENTS = {
  submitted_time: "Submitted",
  queued_time: "Queued",
  running_time: "Running",
  completed_time: "Completed",
  cancelled_time: "Cancelled",
  error_time: "Failed",
};

const isNew = changes();
// Programs and results never change.
const circuitOf = remember(async (id) => {
  const { data } = await get(`/api/circuits/v1beta2/${id}`);
  return data.attributes;
});
const listingOf = remember((id, type) => get(`/page/programs/${type}/${id}`));
const countsOfResult = remember(async (id, type) => {
  if (type === "PYTKET") {
    const { data } = await get(`/api/results/v1beta3/${id}`);
    return countPytket(data.attributes);
  }
  return type === "QSYS" ? countQsys(await shotsOf(id)) : null;
});

async function refresh() {
  const shown = place();
  if (shown.has("job")) {
    await showJob(shown.get("job"), Number(shown.get("item")) || 0);
  } else {
    await showProjects(shown.get("project"));
    await showJobs(shown.get("project"), Number(shown.get("page")) || 0);
    showPart(false, "Embedded Nexus");
  }
}

async function showProjects(chosen) {
  const { data } = await get("/api/projects/v1beta2", { "page[size]": PROJECTS });
  if (isNew("projects", data)) {
    byId("projects").replaceChildren(
      choice("All projects", "#", chosen === null),
      ...data.map(({ id, attributes }) =>
        choice(attributes.name, addressOf({ project: id }), id === chosen),
      ),
    );
  }
}

async function showJobs(project, page) {
  const filter = project === null ? {} : { "filter[project][id]": project };
  const { count } = await get("/api/jobs/v1beta3/meta/count", filter);
  const { data, included } = await get("/api/jobs/v1beta3", {
    ...filter,
    "page[size]": PAGE_SIZE,
    "page[number]": page,
  });
  if (isNew("jobs", [data, count])) {
    const names = namesOf(included);
    byId("jobs").replaceChildren(...data.map((job) => jobRow(job, names)));
    byId("empty").hidden = count > 0;
    showPages(project, page, data.length, count);
  }
}

function namesOf(included) {
  return new Map(included.map(({ id, attributes }) => [id, attributes.name]));
}

function showPages(project, page, length, count) {
  const address = (other) =>
    addressOf(project === null ? { page: other } : { project, page: other });
  const first = page * PAGE_SIZE;
  byId("pages").hidden = count <= PAGE_SIZE;
  byId("pages").replaceChildren(
    element("span", { className: "quiet" }, `${first + 1} to ${first + length} of ${count}`),
    page > 0 ? element("a", { id: "newer", href: address(page - 1) }, "Newer") : "",
    first + length < count
      ? element("a", { id: "older", href: address(page + 1) }, "Older")
      : "",
  );
}

function jobRow({ id, attributes, relationships }, names) {
  const { status, queue_position, cost } = attributes.status;
  return row(
    JOB_LABELS,
    [
      element("a", { href: addressOf({ job: id }) }, attributes.name),
      names.get(relationships.project.data.id),
      names.get(relationships.system.data.id),
      attributes.job_type,
      badgeOf(status),
      number(queue_position),
      number(cost?.toFixed(2)),
      time(attributes.timestamps.created),
    ],
    { id },
  );
}

function badgeOf(status) {
  return badge(status, KINDS[status] ?? (FAILED.includes(status) ? "bad" : "waiting"));
}

async function showJob(id, index) {
  const answer = await get(`/page/jobs/${id}`);
  const { data, included } = answer;
  const { name, status, definition } = data.attributes;
  if (isNew("job", answer)) {
    const names = namesOf(included);
    const item = definition.items[index] ?? definition.items[0];
    byId("job-title").textContent = name;
    showState(data, status);
    showFacts(data, names);
    showActions(data, names);
    byId("items").replaceChildren(
      ...definition.items.map((one) => itemRow(id, one, data, names, one === item)),
    );
    byId("config").textContent = JSON.stringify({ ...definition, items: undefined }, null, 2);
    await showItem(item, data, names);
  }
  showPart(true, `${name} - Embedded Nexus`);
}

function showState({ attributes }, status) {
  const position =
    status.queue_position === undefined ? "" : `Queue position ${status.queue_position}.`;
  byId("job-message").replaceChildren(
    badgeOf(status.status),
    ` ${sentences(position, status.message, status.error_detail)}`,
  );
  const events = Object.entries(EVENTS)
    .filter(([key]) => status[key] !== undefined)
    .map(([key, word]) => [status[key], word]);
  events.sort((a, b) => new Date(a[0]) - new Date(b[0]));
  byId("log").replaceChildren(
    ...[[attributes.timestamps.created, "Created"], ...events].map(([when, word]) =>
      element("tr", {}, element("td", {}, time(when)), element("td", {}, word)),
    ),
  );
}

function showFacts({ id, attributes, relationships }, names) {
  const { job_type, definition, status, timestamps, description } = attributes;
  const config = definition.backend_config;
  fill(byId("facts"), [
    ["Job id", code(id), true],
    ["Project", names.get(relationships.project.data.id)],
    ["Device", names.get(relationships.system.data.id)],
    ["Backend config", config.type],
    ["Type", job_type],
    ["Optimisation level", definition.optimisation_level],
    ["Programs", definition.items.length],
    ["Shots", definition.items.reduce((sum, { n_shots = 0 }) => sum + n_shots, 0) || null],
    ["Cost", status.cost === undefined ? null : `${status.cost.toFixed(2)} HQC`],
    ["Submitted (UTC)", time(timestamps.created)],
    ["Modified (UTC)", time(timestamps.modified)],
    ["Description", description, true],
  ]);
}

function showActions({ id, attributes }, names) {
  const isWaiting = badgeOf(attributes.status.status).classList.contains("waiting");
  const download = (text, work) => button(text, () => act(work));
  byId("actions").replaceChildren(
    download("Download JSON", async () =>
      saveJson(`${id}.json`, {
        job: { id, ...attributes },
        results: (await resultsOf(attributes, names)).map(([item, program, counts]) => ({
          item,
          program,
          counts: Object.fromEntries(counts),
        })),
      }),
    ),
    download("Download CSV", async () =>
      saveCsv(`${id}.csv`, csvOf(await resultsOf(attributes, names))),
    ),
    isWaiting
      ? button("Cancel job", () => act(() => post(`/page/jobs/${id}/cancel`)), "danger")
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

// Returns the number, the program and the counts of each item that has counts.
async function resultsOf({ definition }, names) {
  const found = [];
  for (const { item_id, program_id, result_id, result_type } of definition.items) {
    const counts = result_id ? await countsOfResult(result_id, result_type) : null;
    if (counts !== null) {
      found.push([item_id, names.get(program_id) ?? "", counts]);
    }
  }
  return found;
}

// The columns are those of "tkr-nexus results --csv".
function csvOf(results) {
  const heading = ["circuit", "name", "outcome", "count", "probability", "standard_error"];
  const rows = results.flatMap(([item, program, counts]) => {
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return [...counts].map(([outcome, count]) => [
      ...[item, program, outcome, count],
      ...estimate(count, total),
    ]);
  });
  return [heading, ...rows];
}

function itemRow(job, item, data, names, isCurrent) {
  const { item_id, program_id, n_shots, status } = item;
  return row(
    ITEM_LABELS,
    [
      element("a", { href: addressOf({ job, item: item_id }) }, titleOf(item, names)),
      typeOf(data, program_id),
      number(n_shots),
      badgeOf(status.status),
      number(status.cost?.toFixed(2)),
    ],
    { isCurrent },
  );
}

function titleOf({ item_id, program_id }, names) {
  return `${item_id}: ${names.get(program_id) ?? program_id}`;
}

function typeOf({ relationships }, program_id) {
  return relationships.programs.data.find(({ id }) => id === program_id)?.type ?? "";
}

async function showItem(item, data, names) {
  const { status } = data.attributes;
  byId("item-title").textContent = titleOf(item, names);
  const own = sentences(item.status.message, item.status.error_detail);
  // What the job says already is not said twice.
  byId("item-message").textContent =
    own === sentences(status.message, status.error_detail) ? "" : own;
  await showProgram(item, typeOf(data, item.program_id));
  await showResult(item);
}

async function showProgram({ program_id }, type) {
  const [svg, note] = [byId("drawing"), byId("drawing-note")];
  svg.replaceChildren();
  svg.parentElement.hidden = true;
  byId("listing").hidden = true;
  if (type !== "circuit") {
    await showListing(program_id, type, note);
    return;
  }
  try {
    const circuit = await circuitOf(program_id);
    const { wires, steps, nUndrawn } = stepsOf(circuit);
    svg.parentElement.hidden = false;
    note.textContent = sentences(
      `${wires.length} qubits, ${circuit.commands.length} operations; angles in half-turns`,
      drawWires(svg, wires, steps),
      nUndrawn ? `Operations on bits alone are not drawn: ${nUndrawn}` : "",
    );
  } catch (error) {
    note.textContent = error.message;
  }
}

async function showListing(id, type, note) {
  note.textContent = "";
  try {
    const { text, problem } = await listingOf(id, type);
    byId("listing").textContent = text;
    byId("listing").hidden = !text;
    note.textContent =
      problem ?? (type === "hugr" ? "Functions, with how often they have each operation" : "");
  } catch (error) {
    note.textContent = error.message;
  }
}

async function showResult({ result_id, result_type }) {
  byId("results").hidden = !result_id;
  byId("histogram").replaceChildren();
  if (!result_id) {
    return;
  }
  try {
    const counts = await countsOfResult(result_id, result_type);
    byId("histogram-title").textContent =
      counts === null
        ? "The result is a state; it has no counts."
        : drawCounts(byId("histogram"), counts);
  } catch (error) {
    byId("histogram-title").textContent = error.message;
  }
}

// Returns all shots of a QsysResult, which come in parts until there is none left.
async function shotsOf(result_id) {
  const shots = [];
  for (let chunk = 0; ; chunk += 1) {
    try {
      const path = `/api/qsys_results/v1beta2/partial/${result_id}`;
      const { data } = await get(path, { chunk_number: chunk, version: 3 });
      shots.push(...[data.attributes.results].flat());
    } catch (error) {
      if (error.status === 404) {
        return shots;
      }
      throw error;
    }
  }
}

const next = follow(refresh, REFRESH_MILLISECONDS);
