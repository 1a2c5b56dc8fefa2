// The route browser: the same in a notebook's cell and in JupyterLab's panel. Whoever shows it gives a transport.

import { mountDetails } from "./details.js";
import { button, h, liveRegion, put, setText } from "./dom.js";
import { mountExplain } from "./explain.js";
import { dependsOnFigures, indexRows, parseFilter, selectRows } from "./filter.js";
import { holdKeys, isTextField } from "./keys.js";
import { mountProgress } from "./progress.js";
import { makeChips, makeSearch } from "./search.js";
import { isLiveOrder, sortRows } from "./sorting.js";
import { makeTable } from "./table.js";

const HEIGHT = 420;
const BUSY = "The kernel is busy with a cell; it answers when that ends. Filters and live figures go on.";
const SILENT = "No kernel answers. When none runs a cell just now, the one this table came from is gone: run the cell again.";

/**
 * Show the route browser.
 * @param {HTMLElement} root Where.
 * @param {Object} transport ask(kind, args) and subscribe(listener).
 * @param {{compact?: boolean, filter?: string, height?: number}} options
 * @returns {{destroy: function()}}
 */
export function mount(root, transport, options = {}) {
  const state = { index: indexRows([], []), figures: {}, order: null, opened: null, filter: options.filter ?? "", isRead: false };
  const parts = buildParts(state, transport, options, { refresh, open, close });

  /** Find and sort the rows again; scroll tells where the table is after that. */
  function refresh(scroll) {
    const { terms, faults } = parseFilter(state.filter);
    const { rows } = state.index;
    const places = sortRows(selectRows(state.index, terms, state.figures), rows, state.order, state.figures);
    state.isLive = dependsOnFigures(terms) || isLiveOrder(state.order);
    parts.table.update({ rows, places, figures: state.figures, order: state.order }, scroll);
    parts.tell(places.length, rows.length, faults);
  }

  function open(row) {
    state.opened = row.id;
    parts.details.show(row, problemsOf(row), state.figures);
  }

  function close() {
    state.opened = null;
    parts.table.close();
    parts.table.element.focus({ preventScroll: true });
  }

  function problemsOf(row) {
    return row ? row.problems.map((number) => state.index.problems[number]).filter(Boolean) : [];
  }

  function hear(event) {
    if (event.kind === "table") {
      state.index = indexRows(event.routes, event.problems);
      state.isRead = true;
      parts.header.update(event);
      parts.chips.update(event);
      refresh("anchor");
    } else if (event.kind === "figures") {
      state.figures = event.figures;
      if (state.isLive) refresh("stay");
      else parts.table.update({ figures: state.figures });
    } else if (event.kind === "progress") parts.progress.update(event.exposures);
    else if (event.kind === "connection" || event.kind === "busy") parts.header.connect(event);
    if (state.opened === null || (event.kind !== "table" && event.kind !== "figures")) return;
    const row = state.index.rows.find((each) => each.id === state.opened);
    parts.details.update(row ?? null, problemsOf(row), state.figures);
  }

  root.classList.add("kfa-browser");
  root.classList.toggle("kfa-compact", Boolean(options.compact));
  const letKeys = holdKeys(root);
  root.addEventListener("keydown", parts.onKey);
  put(root, parts.elements);
  refresh("top");
  const end = transport.subscribe(hear);
  return {
    destroy() {
      end();
      parts.destroy();
      letKeys();
      root.removeEventListener("keydown", parts.onKey);
      root.classList.remove("kfa-browser", "kfa-compact");
      put(root);
    },
  };
}

function buildParts(state, transport, options, { refresh, open, close }) {
  const header = makeHeader();
  const search = makeSearch(state.filter, filterBy, () => order(null));
  const chips = makeChips((text) => search.set(text));
  const table = makeTable({ onOpen: open, onOrder: order }, { height: options.height ?? HEIGHT });
  const [strip, below] = [h("div"), h("div")];
  const fate = h("div", { class: "kfa-tool" });
  const progress = mountProgress(strip);
  const explain = mountExplain(fate, transport);
  const details = mountDetails(below, transport, { compact: options.compact, onClose: close });
  const empty = h("div", { class: "kfa-empty", hidden: true });
  chips.press(state.filter);
  function filterBy(text) {
    state.filter = text;
    chips.press(text);
    refresh("top");
  }
  function order(wanted) {
    state.order = wanted;
    refresh("top");
  }
  function tell(shown, all, faults) {
    search.tell(shown, all, faults, state.order !== null);
    empty.hidden = shown > 0;
    table.element.hidden = shown === 0;
    if (shown === 0) put(empty, ...tellEmpty(state.isRead, all, clear));
  }
  function clear() {
    search.set("");
    search.focus();
  }
  function onKey(event) {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "/" && isPlain && !isTextField(event.target)) search.focus();
    else if (event.key !== "Escape") return;
    else if (!search.escape(event.target)) {
      if (state.opened === null) return;
      details.close();
    }
    event.preventDefault();
  }
  const tools = h("div", { class: "kfa-tools" }, chips.element, fate);
  const elements = [header.element, strip, search.element, tools, table.element, empty, below];
  const destroy = () => [search, table, progress, explain, details].forEach((part) => part.destroy());
  return { header, chips, progress, table, details, tell, onKey, elements, destroy };
}

function makeHeader() {
  const place = h("span", { class: "kfa-soft kfa-address" });
  const late = h("span", { class: "kfa-soft kfa-late" });
  const light = h("span", { class: "kfa-live kfa-soft" });
  const connection = liveRegion({ class: "kfa-connection" });
  function update({ gateway, generation, served }) {
    setText(place, `${gateway.url ?? ""} ${gateway.place ? `of ${gateway.place}` : ""}`.trim());
    setText(late, served !== null && served < generation ? "Envoy has yet to take the newest change" : "");
  }
  const said = { connection: "", busy: "" };
  function connect({ kind, state, words, waiting, heard }) {
    if (kind === "connection") {
      setText(light, state === "live" ? "● live" : "○ not live");
      light.className = `kfa-live ${state === "live" ? "kfa-good" : "kfa-soft"}`;
      said.connection = state === "live" ? "" : words;
    } else said.busy = waiting === 0 ? "" : heard === false ? SILENT : BUSY;
    setText(connection, said.connection || said.busy);
  }
  const title = h("h2", { class: "kfa-title" }, "Routes");
  return { element: h("div", { class: "kfa-header" }, title, place, light, late, connection), update, connect };
}

function tellEmpty(isRead, all, clear) {
  if (!isRead) return ["Reading the routes …"];
  if (all > 0) return ["No route matches the filter. ", button("Clear the filter", clear)];
  return ["Nothing is published yet. ", h("code", {}, 'gateway.expose("mnist", service="127.0.0.1:8501")'), " publishes a model."];
}
