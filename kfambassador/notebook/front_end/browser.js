// The route browser: the same in a notebook's cell and in JupyterLab's panel. Whoever shows it gives a transport.

import { mountDetails } from "./details.js";
import { button, countOf, h, liveRegion, makeId, put, setText } from "./dom.js";
import { mountExplain } from "./explain.js";
import { indexRows, parseFilter, selectRows } from "./filter.js";
import { mountProgress } from "./progress.js";
import { sortRows } from "./sorting.js";
import { makeTable } from "./table.js";

const HEIGHT = 420;
const HELP = [
  ["words", "all of them, anywhere in the row"],
  ["-word", "not this word"],
  ["state:conflict", "also serving, pending, warned, rejected"],
  ["ns:team method:post", "also path:, service:, mapping:, object:"],
  ["is:problem", "also is:conflict, is:split, is:shadow, is:busy"],
  ["errors>1 p99>200 rate>5", "percent, milliseconds, requests a second"],
];

/**
 * Show the route browser.
 * @param {HTMLElement} root Where.
 * @param {Object} transport ask(kind, args) and subscribe(listener).
 * @param {{compact?: boolean, filter?: string, height?: number}} options
 * @returns {{destroy: function()}}
 */
export function mount(root, transport, options = {}) {
  const state = { index: indexRows([], []), figures: {}, order: null, opened: null, filter: "", gateway: {} };
  const parts = buildParts(state, transport, options, { refresh, open, close });

  function refresh() {
    const { terms, faults } = parseFilter(state.filter);
    const { rows } = state.index;
    const places = sortRows(selectRows(state.index, terms, state.figures), rows, state.order, state.figures);
    parts.table.update({ rows, places, figures: state.figures, order: state.order });
    parts.tell(places.length, rows.length, faults);
  }

  function open(row) {
    state.opened = row.id;
    parts.details.show(row, problemsOf(row), state.figures);
  }

  function close() {
    state.opened = null;
    parts.table.close();
    parts.table.element.focus();
  }

  function problemsOf(row) {
    return row ? row.problems.map((number) => state.index.problems[number]).filter(Boolean) : [];
  }

  function hear(event) {
    if (event.kind === "table") {
      state.index = indexRows(event.routes, event.problems);
      parts.header.update(event);
    } else if (event.kind === "figures") state.figures = event.figures;
    else if (event.kind === "progress") parts.progress.update(event.exposures);
    else if (event.kind === "connection" || event.kind === "busy") parts.header.connect(event);
    if (event.kind !== "table" && event.kind !== "figures") return;
    refresh();
    const row = state.opened === null ? null : state.index.rows.find((each) => each.id === state.opened);
    if (state.opened !== null) parts.details.update(row ?? null, problemsOf(row), state.figures);
  }

  root.classList.add("kfa-browser");
  root.classList.toggle("kfa-compact", Boolean(options.compact));
  // What is typed here is not meant for the notebook around it.
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  root.addEventListener("keydown", parts.onKey);
  put(root, parts.elements);
  refresh();
  const end = transport.subscribe(hear);
  return {
    destroy() {
      end();
      parts.destroy();
      root.removeEventListener("keydown", parts.onKey);
      put(root);
    },
  };
}

function buildParts(state, transport, options, { refresh, open, close }) {
  const header = makeHeader((filter) => search.set(filter));
  const search = makeSearch(state, options.filter ?? "", refresh);
  const table = makeTable(
    {
      onOpen: open,
      onOrder: (order) => {
        state.order = order;
        refresh();
      },
    },
    { height: options.height ?? HEIGHT },
  );
  const [strip, fate, below] = [h("div"), h("div"), h("div")];
  const progress = mountProgress(strip);
  const explain = mountExplain(fate, transport);
  const details = mountDetails(below, transport, { compact: options.compact, onClose: close });
  const empty = h("div", { class: "kfa-empty", hidden: true });
  function tell(shown, all, faults) {
    search.tell(shown, all, faults);
    empty.hidden = shown > 0;
    table.element.hidden = shown === 0;
    if (shown === 0) put(empty, ...tellEmpty(all, () => search.set("")));
  }
  function onKey(event) {
    const isTyping = event.target.matches("input, textarea, select");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && state.opened !== null) details.close();
    event.stopPropagation();
  }
  const elements = [header.element, strip, search.element, fate, table.element, empty, below];
  const destroy = () => [table, progress, explain, details].forEach((part) => part.destroy());
  return { header, progress, table, details, tell, onKey, elements, destroy };
}

function makeHeader(setFilter) {
  const title = h("h2", { class: "kfa-title" }, "Routes");
  const place = h("span", { class: "kfa-soft kfa-address" });
  const counts = h("span", { class: "kfa-counts" });
  const connection = liveRegion({ class: "kfa-connection" });
  function update({ routes, problems, gateway, generation, served }) {
    const left = problems.filter((problem) => problem.severity !== "notice").length;
    const conflicts = routes.filter((row) => row.problems.some((number) => problems[number]?.conflict)).length;
    setText(place, `${gateway.url ?? ""} ${gateway.place ? `of ${gateway.place}` : ""}`.trim());
    put(
      counts,
      countOf(routes.filter((row) => row.method).length, "route"),
      left > 0 && button(countOf(left, "problem"), () => setFilter("is:problem"), { class: "kfa-button kfa-flag kfa-warn" }),
      conflicts > 0 && button(countOf(conflicts, "conflict"), () => setFilter("is:conflict"), { class: "kfa-button kfa-flag kfa-bad" }),
      served !== null && served < generation && h("span", { class: "kfa-soft" }, "Envoy has yet to take the newest change"),
    );
  }
  function connect({ kind, state, words, waiting }) {
    const isWell = kind === "busy" ? waiting === 0 : state === "live";
    const busy = "The kernel is busy with a cell; it answers when that ends. Filters and live figures go on.";
    setText(connection, isWell ? "" : kind === "busy" ? busy : words);
    connection.classList.toggle("kfa-said", !isWell);
  }
  return { element: h("header", { class: "kfa-header" }, title, place, counts, connection), update, connect };
}

function makeSearch(state, first, refresh) {
  const input = h("input", { type: "search", class: "kfa-input", autocomplete: "off", spellcheck: "false" });
  input.setAttribute("aria-label", "Filter routes");
  input.placeholder = "Filter: words, state:conflict, ns:team, errors>1";
  const faults = h("div", { class: "kfa-fault", id: makeId("faults"), role: "alert" });
  input.setAttribute("aria-describedby", faults.id);
  const found = liveRegion({ class: "kfa-found" });
  const rows = HELP.map(([words, means]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, words)), h("td", {}, means)));
  const help = h("div", { class: "kfa-help", id: makeId("help"), hidden: true }, h("table", {}, h("tbody", {}, rows)));
  const ask = button("?", () => toggle(), { "aria-label": "How to filter", "aria-expanded": "false", "aria-controls": help.id });
  const reset = button("Evaluation order", () => sortBack(), { hidden: true });
  function toggle() {
    help.hidden = !help.hidden;
    ask.setAttribute("aria-expanded", String(!help.hidden));
  }
  function sortBack() {
    state.order = null;
    refresh();
  }
  function set(text) {
    input.value = text;
    state.filter = text;
    refresh();
  }
  input.addEventListener("input", () => {
    state.filter = input.value;
    refresh();
  });
  function tell(shown, all, wrong) {
    setText(found, shown === all ? countOf(all, "row") : `${shown.toLocaleString("en-US")} of ${countOf(all, "row")}`);
    setText(faults, wrong.join("; "));
    reset.hidden = state.order === null;
  }
  state.filter = first;
  input.value = first;
  const bar = h("div", { class: "kfa-bar" }, input, ask, reset, found);
  return { element: h("div", { class: "kfa-search" }, bar, faults, help), set, tell, focus: () => input.focus() };
}

function tellEmpty(all, clear) {
  if (all > 0) return ["No route matches the filter. ", button("Clear the filter", clear)];
  return ["Nothing is published yet. ", h("code", {}, 'gateway.expose("mnist", service="127.0.0.1:8501")'), " publishes a model."];
}
