// The details of one route: where its requests go, what is wrong and where, its split, and a form to try it.

import { button, copyButton, drawFault, h, makeId, put, writePercent, writeRate, writeTime } from "./dom.js";
import { figuresOf } from "./figures.js";
import { mountSplit } from "./split.js";
import { mountStatus } from "./progress.js";
import { mountTest } from "./test_form.js";
import { drawSource } from "./source.js";

/**
 * @param {HTMLElement} root Where.
 * @param {Object} transport
 * @param {{onClose: function()}} options
 * @returns {{show: function, update: function, close: function, destroy: function}}
 */
export function mountDetails(root, transport, { onClose }) {
  const heading = h("h3", { class: "kfa-heading", tabindex: -1 });
  const leave = button("Close", () => close(), { "aria-label": "Close the details" });
  const [figures, places, faults, exposure, split, test, source] = Array.from({ length: 7 }, () => h("div"));
  const body = [h("div", { class: "kfa-titled" }, heading, leave), figures, faults, places, exposure, split, test, source];
  const element = h("section", { class: "kfa-details", hidden: true, "aria-labelledby": (heading.id = makeId("details")) }, body);
  let shown = null;
  let live = [];
  put(root, element);

  function show(row, problems, counted) {
    stop();
    shown = row;
    put(heading, describe(row));
    element.hidden = false;
    [exposure, split, test, source].forEach((part) => put(part));
    update(row, problems, counted);
    put(source, h("p", { class: "kfa-soft" }, "Reading what was written …"));
    heading.focus({ preventScroll: true });
    element.scrollIntoView?.({ block: "nearest" });
    load(row, problems);
  }

  async function load(row, problems) {
    const { mapping, object, document } = row.splits[0] ?? {};
    try {
      const told = await transport.ask("details", { mapping, object, document });
      if (shown?.id !== row.id) return;
      live = [mountTest(test, transport, told.request)];
      if (told.exposure) {
        put(exposure, drawExposure(told.exposure, transport, told.request));
        live.push(mountStatus(exposure.appendChild(h("div")), transport, told.exposure));
      }
      live.push(mountSplit(split, transport, told.exposure, { row, whyNot: told.why_not }));
      put(source, drawSource(told, row, problems));
    } catch (error) {
      if (shown?.id === row.id) put(source, drawFault(error));
    }
  }

  function update(row, problems, counted) {
    if (row === null) {
      put(faults, h("p", { class: "kfa-fault" }, "This route is no longer served."));
      return;
    }
    put(figures, drawFigures(figuresOf(row, counted)));
    put(faults, problems.map(drawProblem));
    put(places, drawPlaces(row));
    live.forEach((part) => part.update?.(row));
  }

  function stop() {
    live.forEach((part) => part.destroy());
    live = [];
  }

  function close() {
    stop();
    shown = null;
    element.hidden = true;
    onClose();
  }

  return { show, update, close, destroy: stop };
}

function describe(row) {
  const asked = [row.method === "*" ? "any method" : row.method, row.path, row.conditions].filter(Boolean).join(" ");
  return asked || `${row.splits[0]?.object} is left out`;
}

function drawFigures(live) {
  if (!live) return h("p", { class: "kfa-soft" }, "No requests just now.");
  const told = `${writeRate(live.rate)} requests a second, ${writePercent(live.errors)} errors`;
  const times = live.p99 === null ? "" : `, 99 of 100 within ${writeTime(live.p99)}`;
  const shared = live.shared ? `, counted together with ${live.shared} more of the same service` : "";
  return h("p", {}, told + times + shared);
}

function drawProblem(problem) {
  const sign = { error: ["✗", "kfa-bad"], warning: ["!", "kfa-warn"], notice: ["…", "kfa-soft"] }[problem.severity];
  const field = problem.path && h("code", {}, problem.path);
  const edit = editCommand(problem.object);
  return h(
    "div",
    { class: "kfa-problem" },
    h("strong", { class: sign[1] }, `${sign[0]} ${problem.severity}`),
    " ",
    field,
    field && ": ",
    h("span", { class: "kfa-message" }, problem.message),
    h("div", { class: "kfa-soft" }, problem.place, " ", edit && copyButton("Copy the command to edit it", () => edit)),
  );
}

/** The command that opens an object in an editor; "" when it is none of the cluster's. */
export function editCommand(object) {
  const [kind, place] = (object ?? "").split(" ");
  if (!place) return "";
  const [namespace, name] = place.includes("/") ? place.split("/") : ["", place];
  const where = namespace ? `-n ${namespace} ` : "";
  return `kubectl ${where}edit ${kind === "Mapping" ? "mappings.getambassador.io" : kind.toLowerCase()} ${name}`;
}

function drawPlaces(row) {
  if (!row.method) return null;
  const heads = ["Mapping", "Goes to", "Rewrite", "Share", "Written in"];
  const lines = row.splits.map((split) => {
    const share = split.copy ? `copy of ${split.share}%` : `${split.share}%`;
    const where = split.document ? `${split.object}, document ${split.document}` : split.object;
    const cells = [split.service, split.rewrite || "as it is", share, where];
    return h("tr", {}, h("th", { scope: "row" }, split.mapping), cells.map((text) => h("td", {}, text)));
  });
  const head = h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)));
  return h("div", { class: "kfa-wide" }, h("table", { class: "kfa-plain" }, h("thead", {}, head), h("tbody", {}, lines)));
}

function drawExposure(exposure, transport, request) {
  const facts = [
    ["Address", exposure.url],
    ["Published by", exposure.owner],
    ["Server", exposure.server],
    ["Until", exposure.expires_at],
  ].filter(([, value]) => value);
  const list = facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  const curl = () => transport.ask("curl", withoutNull(request)).then((answer) => answer.curl);
  return h(
    "div",
    {},
    h("h4", { class: "kfa-heading" }, `Published as ${exposure.name}`),
    h("dl", { class: "kfa-facts" }, list),
    h("div", { class: "kfa-buttons" }, copyButton("Copy the address", () => exposure.url), request && copyButton("Copy as curl", curl)),
    exposure.words && h("p", { class: "kfa-fault" }, exposure.words),
  );
}

/** The same without what is null: a question says what it means or nothing. */
export function withoutNull(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
}
