// A form that sends one request through the gateway, and tells what became of it.

import { button, chooseMethod, copyButton, drawFault, h, labelled, liveRegion, methodField, put, writeTime } from "./dom.js";

const KEPT = 10;

/**
 * @param {HTMLElement} root Where.
 * @param {Object} transport
 * @param {Object|null} request What the form begins with: method, path, headers, body.
 */
export function mountTest(root, transport, request) {
  const form = makeForm(request ?? { method: "GET", path: "/", headers: {}, body: null });
  const result = liveRegion({ class: "kfa-result" });
  const past = h("div", { class: "kfa-past" });
  const history = [];
  const send = button("Send", () => submit(), { class: "kfa-button kfa-primary" });
  const copy = copyButton("Copy as curl", async () => (await transport.ask("curl", form.read())).curl);
  let running = 0;

  async function submit() {
    const asked = form.read();
    running += 1;
    const own = running;
    const tick = waitVisibly(result);
    try {
      const answer = await transport.ask("test", asked);
      if (own === running) put(result, drawResult(answer));
      remember(asked, answer.status);
    } catch (error) {
      if (own === running) put(result, drawFault(error));
    } finally {
      clearInterval(tick);
    }
  }

  function remember(asked, status) {
    history.unshift({ asked, status });
    history.splice(KEPT);
    const again = ({ asked: each, status: was }) =>
      button(`${each.method} ${each.path} → ${was}`, () => form.write(each), { class: "kfa-button kfa-quiet" });
    put(past, h("span", { class: "kfa-soft" }, "Sent before: "), history.map(again));
  }

  form.element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  form.element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  });
  form.element.append(h("div", { class: "kfa-buttons" }, send, copy));
  put(root, h("h4", { class: "kfa-heading" }, "Try it"), form.element, result, past);
  return { destroy: () => put(root) };
}

function waitVisibly(result) {
  const began = performance.now();
  const say = () => put(result, h("p", { class: "kfa-soft" }, `Waiting for the answer … ${tellSeconds(began)}`));
  say();
  return setInterval(say, 1000);
}

function tellSeconds(began) {
  const seconds = Math.round((performance.now() - began) / 1000);
  return seconds > 0 ? `${seconds} s` : "";
}

function makeForm(request) {
  const method = methodField();
  const path = h("input", { class: "kfa-input", spellcheck: "false" });
  const headers = makeHeaders();
  const body = h("textarea", { class: "kfa-input kfa-code", rows: 3, spellcheck: "false" });
  const fault = h("div", { class: "kfa-fault", role: "alert" });
  body.addEventListener("input", () => put(fault, findJsonFault(body.value)));
  function write({ method: verb, path: where, headers: named, body: text }) {
    chooseMethod(method, verb);
    path.value = where;
    headers.write(named ?? {});
    body.value = text ?? "";
    put(fault, findJsonFault(body.value));
  }
  function read() {
    const asked = { method: method.value, path: path.value.trim(), headers: headers.read() };
    return body.value.trim() ? { ...asked, body: body.value } : asked;
  }
  write(request);
  const line = h("div", { class: "kfa-line-of" }, labelled("Method", method), labelled("Path", path, { class: "kfa-labelled kfa-grow" }));
  return { element: h("form", { class: "kfa-form" }, line, headers.element, labelled("Body", body), fault), read, write };
}

function makeHeaders() {
  const lines = h("div", {});
  function add(name = "", value = "") {
    const inputs = [
      h("input", { class: "kfa-input", value: name, "aria-label": "Header's name", placeholder: "Header", spellcheck: "false" }),
      h("input", { class: "kfa-input kfa-grow", value, "aria-label": "Header's value", placeholder: "Value", spellcheck: "false" }),
    ];
    const line = h("div", { class: "kfa-line-of kfa-header-line" }, inputs, button("Remove", () => line.remove()));
    lines.append(line);
    return inputs[0];
  }
  const more = button("Add a header", () => add().focus(), { class: "kfa-button kfa-quiet" });
  return {
    element: h("div", {}, lines, more),
    write: (named) => put(lines) ?? Object.entries(named).forEach(([name, value]) => add(name, value)),
    read: () => readHeaders([...lines.children].map((line) => [...line.querySelectorAll("input")].map((input) => input.value))),
  };
}

/** Headers by name out of what was typed; lines without a name say nothing. */
export function readHeaders(lines) {
  return Object.fromEntries(lines.map(([name, value]) => [name.trim(), value]).filter(([name]) => name));
}

/** What is wrong with a body that begins as JSON does; "" when nothing is, or it is none. */
export function findJsonFault(text) {
  if (!/^\s*[[{]/.test(text)) return "";
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    const told = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(error.message);
    if (!told) return `Not quite JSON: ${error.message}`;
    const before = text.slice(0, Number(told[1])).split("\n");
    return `Not quite JSON: line ${before.length}, column ${before.at(-1).length + 1}`;
  }
}

/** Draw what became of a request. */
function drawResult(answer) {
  const tone = answer.is_success ? "kfa-good" : "kfa-bad";
  const taken = answer.mapping ? `${answer.mapping} → ${answer.backend}${answer.upstream_path}` : "no route took it";
  const headers = answer.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  const body = answer.is_text ? writeJson(answer.body) : answer.body;
  return [
    h("p", {}, h("strong", { class: tone }, `${answer.status} ${answer.reason}`), ` in ${writeTime(answer.latency_ms)}`, h("span", { class: "kfa-soft" }, ` by ${taken}`)),
    answer.meaning && h("p", { class: "kfa-meaning" }, answer.meaning),
    body ? h("pre", { class: "kfa-source kfa-answer", tabindex: 0, "aria-label": "Answer" }, body) : h("p", { class: "kfa-soft" }, "An empty answer."),
    answer.cut && h("p", { class: "kfa-soft" }, answer.cut),
    h("details", {}, h("summary", {}, "Headers of the answer"), h("pre", { class: "kfa-source", tabindex: 0 }, headers)),
    h("div", { class: "kfa-buttons" }, copyButton("Copy the answer", () => answer.body), copyButton("Copy this request as curl", () => answer.curl)),
  ];
}

/** The same text, with line breaks where it is JSON. */
export function writeJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
