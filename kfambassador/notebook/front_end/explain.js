// "What happens to this URL?", answered by the gateway's table and by Envoy itself; nothing is sent to a model.

import { METHODS, button, drawFault, h, labelled, liveRegion, makeId, methodField, put } from "./dom.js";

const SHOWN = 5;

/**
 * @param {HTMLElement} root Where.
 * @param {Object} transport
 */
export function mountExplain(root, transport) {
  const method = methodField();
  const url = h("input", { class: "kfa-input", placeholder: "/models/mnist/ or POST https://host/path", spellcheck: "false" });
  const headers = h("input", { class: "kfa-input", placeholder: "x-team: a; x-user: b", spellcheck: "false" });
  const answer = liveRegion({ class: "kfa-fate" });
  const form = h(
    "form",
    { class: "kfa-form" },
    h("div", { class: "kfa-line-of" }, labelled("Method", method), labelled("URL or path", url, { class: "kfa-labelled kfa-grow" })),
    h("div", { class: "kfa-line-of" }, labelled("Headers, if any", headers, { class: "kfa-labelled kfa-grow" })),
    h("div", { class: "kfa-buttons" }, h("button", { type: "submit", class: "kfa-button kfa-primary" }, "Ask")),
  );
  const box = h("div", { class: "kfa-explain", hidden: true, id: makeId("explain") }, form, answer);
  const open = button("What happens to a URL?", () => toggle(), { "aria-expanded": "false", "aria-controls": box.id });
  function toggle() {
    box.hidden = !box.hidden;
    open.setAttribute("aria-expanded", String(!box.hidden));
    if (!box.hidden) url.focus();
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = readQuestion(url.value, method.value, headers.value);
    if (!asked.url) return;
    method.value = METHODS.includes(asked.method) ? asked.method : method.value;
    put(answer, h("p", { class: "kfa-soft" }, "Asking …"));
    try {
      put(answer, drawFate(await transport.ask("explain", { ...asked, ask_envoy: true })));
    } catch (error) {
      put(answer, drawFault(error));
    }
  });
  put(root, h("div", { class: "kfa-asker" }, open, box));
  return { destroy: () => put(root) };
}

/** Read a question: a method before the URL counts more than the one that is chosen. */
export function readQuestion(text, method, headers) {
  const found = /^\s*(?:([A-Za-z]{3,10})\s+)?(\S+)\s*$/.exec(text);
  if (!found) return { method, url: text.trim(), headers: readLine(headers) };
  return { method: (found[1] ?? method).toUpperCase(), url: found[2], headers: readLine(headers) };
}

function readLine(text) {
  const pairs = text.split(";").map((each) => each.split(/:(.*)/s));
  return Object.fromEntries(pairs.filter(([name]) => name.trim()).map(([name, value]) => [name.trim(), (value ?? "").trim()]));
}

function drawFate(told) {
  const [words, tone] = tellOutcome(told);
  const takers = told.taken_by.map((each) => {
    const share = told.taken_by.length > 1 ? ` with ${each.share}%` : "";
    return h("li", {}, h("strong", {}, each.mapping), ` → ${each.service}`, each.upstream_path && h("code", {}, ` ${each.upstream_path}`), share);
  });
  return [
    h("p", {}, h("code", {}, `${told.method} ${told.path}`), " ", h("strong", { class: tone }, words)),
    told.asks && h("p", {}, `Asked first: ${told.asks}`),
    takers.length > 0 && h("ul", { class: "kfa-words" }, takers),
    told.envoy && drawEnvoy(told.envoy),
    drawPassed(told),
  ];
}

/** What becomes of a request, in words, and how good that is. */
export function tellOutcome(told) {
  switch (told.outcome) {
    case "routed":
      return ["is routed", "kfa-good"];
    case "redirect":
      return [`is redirected: ${told.redirect.code} to ${told.redirect.location}`, "kfa-warn"];
    case "refused":
      return [`is refused: ${told.refusal}`, "kfa-bad"];
    case "elsewhere":
      return [told.elsewhere, "kfa-warn"];
    default:
      return ["is taken by no route: 404", "kfa-bad"];
  }
}

function drawEnvoy({ agrees, words }) {
  const [sign, tone] = agrees === null ? ["…", "kfa-soft"] : agrees ? ["✓", "kfa-good"] : ["✗", "kfa-bad"];
  const verdict = agrees === null ? "Envoy was not asked: " : agrees ? "Envoy agrees: " : "Envoy differs: ";
  return h("p", {}, h("span", { class: tone }, `${sign} `), verdict + words);
}

function drawPassed({ passed, more, outcome }) {
  if (!passed.length) return null;
  const lines = passed.map(({ mappings, reason }) => h("li", {}, h("strong", {}, mappings.join(", ")), `: ${reason}`));
  const rest = lines.length - SHOWN + more;
  const all = h("details", {}, h("summary", {}, `${rest} more`), h("ul", { class: "kfa-words" }, lines.slice(SHOWN)));
  const title = outcome === "routed" ? "Not taken by" : "The nearest routes, and why they do not take it";
  return h("details", { open: outcome !== "routed" }, h("summary", {}, title), h("ul", { class: "kfa-words" }, lines.slice(0, SHOWN)), rest > 0 && all);
}
