// The table: as many rows as there are routes, of which only those in sight are in the page.

import { h, makeId, setText, writePercent, writeRate, writeTime } from "./dom.js";
import { figuresOf } from "./figures.js";
import { COLUMNS, nextOrder } from "./sorting.js";
import { ROW_HEIGHT, findShift, findWindow, moveTo, scrollTo } from "./virtual.js";

/** How a state is told: by a sign for whoever does not see its colour, and a word. */
export const STATE_WORDS = {
  serving: ["✓", "serving"],
  pending: ["…", "pending"],
  warned: ["!", "warned"],
  conflict: ["≠", "conflict"],
  rejected: ["✗", "left out"],
};

const [STATE, PATH, ERRORS] = ["state", "path", "errors"].map((name) => COLUMNS.findIndex((column) => column.name === name));

/**
 * @param {Object} handlers onOpen(row) when a row is chosen, onOrder(order) when a heading is.
 * @param {{height: number}} options
 */
export function makeTable({ onOpen, onOrder }, { height }) {
  const id = makeId("row");
  const view = { rows: [], places: [], figures: {}, order: null, active: -1, opened: "" };
  const pool = [];
  const body = h("div", { class: "kfa-rows", role: "presentation" });
  const space = h("div", { class: "kfa-space", role: "presentation" }, body);
  const headings = COLUMNS.map((column) => makeHeading(column, () => onOrder(nextOrder(view.order, column))));
  headings[0].firstChild.setAttribute("tabindex", 0);
  const head = h("div", { class: "kfa-row kfa-head", role: "row", "aria-rowindex": 1 }, headings);
  const scroller = h("div", { class: "kfa-scroller", role: "presentation", style: `max-height: ${height}px` }, head, space);
  const element = h("div", { class: "kfa-table", role: "grid", tabindex: 0, "aria-label": "Routes" }, scroller);

  function draw() {
    const { first, last } = findWindow(scroller.scrollTop, scroller.clientHeight || height, view.places.length);
    while (pool.length < last - first) pool.push(makeRow(body));
    body.style.transform = `translateY(${first * ROW_HEIGHT}px)`;
    pool.forEach((line, number) => {
      const place = first + number;
      if (place < last) fillRow(line, view, place, id);
      else hideRow(line);
    });
    const isSeen = view.active >= first && view.active < last;
    if (isSeen) element.setAttribute("aria-activedescendant", `${id}-${view.active}`);
    else element.removeAttribute("aria-activedescendant");
  }

  /** Draw what has changed; scroll says where the table is then: at its "top", at the row it was ("anchor") or as it was. */
  function update(changes, scroll = "stay") {
    const before = changes.places ? names() : [];
    Object.assign(view, changes);
    if (changes.places) {
      const after = names();
      const active = before[view.active];
      // The same route stays chosen, wherever it is now.
      view.active = active === undefined ? -1 : after.indexOf(active);
      space.style.height = `${view.places.length * ROW_HEIGHT}px`;
      element.setAttribute("aria-rowcount", view.places.length + 1);
      COLUMNS.forEach((column, number) => markHeading(headings[number], column, view.order));
      if (scroll === "top") scroller.scrollTop = 0;
      if (scroll === "anchor") scroller.scrollTop += findShift(scroller.scrollTop, before, after);
    }
    draw();
  }

  function names() {
    return view.places.map((place) => view.rows[place].id);
  }

  function choose(place) {
    view.active = place;
    scroller.scrollTop = scrollTo(place, scroller.scrollTop, scroller.clientHeight - ROW_HEIGHT);
    draw();
  }

  function open(place) {
    const row = view.rows[view.places[place]];
    if (!row) return;
    view.opened = row.id;
    choose(place);
    onOpen(row);
  }

  function onKey(event) {
    if (event.target !== element) return;
    const page = Math.max(1, Math.floor(scroller.clientHeight / ROW_HEIGHT) - 2);
    const place = moveTo(event.key, view.active, view.places.length, page);
    if (event.key === "ArrowUp" && view.active <= 0) focusHeading(head);
    else if (place !== null) choose(place);
    else if (event.key === "Enter" || event.key === " ") open(Math.max(0, view.active));
    else return;
    event.preventDefault();
  }

  scroller.addEventListener("scroll", draw, { passive: true });
  element.addEventListener("keydown", onKey);
  head.addEventListener("keydown", (event) => moveHeading(head, event, () => element.focus()));
  body.addEventListener("click", (event) => {
    const line = event.target.closest("[data-place]");
    if (line) open(Number(line.dataset.place));
  });
  const watching = new ResizeObserver(draw);
  watching.observe(scroller);
  return { element, update, close: () => update({ opened: "" }), destroy: () => watching.disconnect() };
}

function makeHeading(column, onClick) {
  const press = h("button", { type: "button", class: "kfa-sort", tabindex: -1, onClick }, column.heading);
  return h("div", { role: "columnheader", class: `kfa-cell kfa-c-${column.name}` }, press);
}

/** The headings are one stop of the Tab key; arrows lead from one to the next, and down into the rows. */
function moveHeading(head, event, leave) {
  const shown = findHeadings(head);
  const place = shown.indexOf(event.target);
  const next = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: shown.length - 1 }[event.key];
  if (event.key === "ArrowDown") leave();
  else if (shown[next]) focusHeading(head, shown[next]);
  else return;
  event.preventDefault();
}

function focusHeading(head, wanted = null) {
  const shown = findHeadings(head);
  const press = wanted ?? shown.find((each) => each.tabIndex === 0) ?? shown[0];
  head.querySelectorAll("button").forEach((each) => each.setAttribute("tabindex", each === press ? 0 : -1));
  press.focus();
}

/** Those that are not folded away. */
function findHeadings(head) {
  return [...head.querySelectorAll("button")].filter((each) => each.offsetParent !== null);
}

function markHeading(heading, column, order) {
  const is = order?.column === column.name ? (order.direction > 0 ? "ascending" : "descending") : "none";
  heading.setAttribute("aria-sort", is);
}

function makeRow(body) {
  const cells = COLUMNS.map((column) => h("div", { role: "gridcell", class: `kfa-cell kfa-c-${column.name}` }, h("span")));
  // What else a route asks for stands behind its path, so that two of the same path are told apart.
  cells[PATH].append(" ", h("span", { class: "kfa-conditions" }));
  cells[STATE].append(" ", h("span", { class: "kfa-word" }));
  const element = h("div", { class: "kfa-row", role: "row" }, cells);
  body.append(element);
  return { element, cells };
}

function hideRow({ element }) {
  element.hidden = true;
  element.removeAttribute("id");
}

function fillRow({ element, cells }, view, place, id) {
  const row = view.rows[view.places[place]];
  element.hidden = false;
  element.id = `${id}-${place}`;
  element.dataset.place = place;
  element.dataset.state = row.state;
  element.setAttribute("aria-rowindex", place + 2);
  element.setAttribute("aria-selected", row.id === view.opened);
  element.classList.toggle("kfa-active", place === view.active);
  writeCells(row, view.figures).forEach((text, number) => {
    setText(cells[number].firstChild, text);
    cells[number].title = text.length > 12 ? text : "";
  });
  const word = STATE_WORDS[row.state]?.[1] ?? row.state;
  setText(cells[STATE].lastChild, word);
  cells[STATE].title = word;
  cells[ERRORS].classList.toggle("kfa-bad", (figuresOf(row, view.figures)?.errors ?? 0) > 0);
  const path = cells[PATH];
  setText(path.lastChild, row.conditions);
  if (row.conditions) path.title = `${row.path} ${row.conditions}`;
}

/**
 * The texts of a row's cells, in the order of the columns; of the state its sign.
 * @returns {string[]}
 */
export function writeCells(row, figures) {
  const live = figuresOf(row, figures);
  const first = row.splits[0] ?? {};
  return [
    STATE_WORDS[row.state]?.[0] ?? "?",
    row.method,
    row.path || first.object || "",
    writeServices(row),
    first.rewrite ?? "",
    live ? writeRate(live.rate) : "",
    live ? writePercent(live.errors) : "",
    live ? writeTime(live.p99) : "",
    first.mapping || first.object || "",
  ];
}

/** Where requests go, with shares where there are several, and copies. */
export function writeServices(row) {
  const takers = row.splits.filter((split) => !split.copy);
  const told = takers.map((split) => (takers.length > 1 ? `${split.share}% ${split.service}` : split.service));
  const copies = row.splits.filter((split) => split.copy).map((split) => `copies to ${split.service}`);
  return [told.join(" + "), ...copies].join(", ");
}
