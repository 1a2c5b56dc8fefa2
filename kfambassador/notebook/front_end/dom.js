// Building the page: elements with text and attributes, never with markup, so that nothing that was read can become any.

let numbers = 0;

/**
 * Make an element.
 * @param {string} tag
 * @param {Object} props Attributes; "on…" are listeners, "class" and "aria-…" as in HTML. null and false are left out.
 * @param {...(Node|string|number|null|false|Array)} children Text becomes text.
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2).toLowerCase(), value);
    else setAttribute(element, name, value);
  }
  put(element, ...children);
  return element;
}

/** Set or take away an attribute; what a person types into is set as a property. */
export function setAttribute(element, name, value) {
  if (name === "value") element.value = value ?? "";
  else if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

/** Replace what is in an element. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
}

/** Set an element's text, when it is another. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A name for an element that no other has. */
export function makeId(what) {
  numbers += 1;
  return `kfa-${what}-${numbers}`;
}

/** A button with a text; it never sends a form. */
export function button(text, onClick, props = {}) {
  return h("button", { type: "button", class: "kfa-button", onClick, ...props }, text);
}

/** An input under its label. */
export function labelled(text, input, props = {}) {
  input.id ||= makeId("input");
  return h("div", { class: "kfa-labelled", ...props }, h("label", { for: input.id }, text), input);
}

/** Where news is read out to whoever cannot see it. */
export function liveRegion(props = {}) {
  return h("div", { role: "status", "aria-live": "polite", ...props });
}

/** A button that copies a text, and says so. */
export function copyButton(text, readText) {
  const said = h("span", { class: "kfa-heard", "aria-live": "polite" });
  const copy = button(text, async () => {
    const done = await copyText(await readText());
    setText(said, done ? "Copied" : "Could not be copied");
    put(copy, done ? "Copied" : "Press Ctrl+C");
    setTimeout(() => {
      put(copy, text);
      setText(said, "");
    }, 1500);
  });
  return h("span", {}, copy, said);
}

/** Copy a text; pages without the right to the clipboard select it for the keyboard. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { value: text, class: "kfa-heard" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** Write a rate, such as 0.4 or 1,250. */
export function writeRate(value) {
  if (value === null || value === undefined) return "";
  if (value > 0 && value < 0.05) return "<0.1";
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return value >= 10 ? value.toFixed(0) : value.toFixed(1);
}

/** Write a share of one in percent. */
export function writePercent(share) {
  if (share === null || share === undefined) return "";
  const percent = share * 100;
  if (percent > 0 && percent < 0.05) return "<0.1%";
  return percent === 0 || percent >= 10 ? `${percent.toFixed(0)}%` : `${percent.toFixed(1)}%`;
}

/** Write milliseconds. */
export function writeTime(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "";
  if (milliseconds >= 10000) return `${(milliseconds / 1000).toFixed(0)} s`;
  return milliseconds >= 10 ? `${milliseconds.toFixed(0)} ms` : `${milliseconds.toFixed(1)} ms`;
}

/** Count things in words: "1 route", "5,000 routes". */
export function countOf(number, thing) {
  return `${number.toLocaleString("en-US")} ${thing}${number === 1 ? "" : "s"}`;
}

/** The methods that requests usually have. */
export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/** A field for a request's method. */
export function methodField() {
  return h("select", { class: "kfa-input" }, METHODS.map((name) => h("option", { value: name }, name)));
}

/** Choose a method, also one that few use. */
export function chooseMethod(field, method) {
  if (!METHODS.includes(method)) field.append(h("option", { value: method }, method));
  field.value = method;
}

/** What an error says to a person. */
export function wordsOf(error) {
  return error.words ?? String(error);
}

/** An error's words, as a part of the page. */
export function drawFault(error) {
  return h("p", { class: "kfa-fault" }, wordsOf(error));
}
