// What was written, with what is wrong beside it.

import { h } from "./dom.js";

/**
 * Draw the text of a route's configuration.
 * @param {Object} told The answer to "details".
 * @param {Object} row
 * @param {Array<Object>} problems Of the row.
 */
export function drawSource(told, row, problems) {
  if (!told.text) return told.why_no_text ? h("p", { class: "kfa-soft" }, `Not shown: ${told.why_no_text}.`) : null;
  const what = told.text_of === "spec" ? "As it was written" : `As it was written in ${told.text_of}`;
  const lines = markLines(told.text, told.text_of === "spec" ? null : row.splits[0]?.line, problems);
  const drawn = lines.map(({ number, text, own, notes }) => [
    h("span", { class: own ? "kfa-line" : "kfa-line kfa-soft" }, h("span", { class: "kfa-lineno" }, number), text || " "),
    notes.map((note) => h("span", { class: "kfa-line kfa-note" }, h("span", { class: "kfa-lineno" }, "↑"), note)),
  ]);
  const open = problems.length > 0;
  return h("details", { open }, h("summary", {}, what), h("pre", { class: "kfa-source", tabindex: 0 }, drawn));
}

/**
 * Find which lines belong to the document, and to which line each problem belongs. Pure.
 * @param {string} text
 * @param {number|null} start The line the document starts at; null means that all of it is meant.
 * @param {Array<{path: string, message: string}>} problems
 * @returns {Array<{number: number, text: string, own: boolean, notes: string[]}>}
 */
export function markLines(text, start, problems) {
  const lines = text.replace(/\n$/, "").split("\n");
  const first = start ? start - 1 : 0;
  let last = start ? lines.findIndex((line, number) => number > first && line.startsWith("---")) : -1;
  if (last < 0) last = lines.length;
  const marked = lines.map((line, number) => ({
    number: number + 1,
    text: line,
    own: number >= first && number < last,
    notes: [],
  }));
  for (const problem of problems) {
    const place = findLine(lines, first, last, problem.path);
    if (marked[place]) marked[place].notes.push(problem.path ? `${problem.path}: ${problem.message}` : problem.message);
  }
  return marked;
}

/** The line of a field: each part of its path is looked for below the one before. */
function findLine(lines, first, last, path) {
  let place = first;
  for (const part of (path ?? "").split(/[.[\]]+/).filter((each) => each && !/^\d+$/.test(each))) {
    const found = lines.findIndex((line, number) => {
      const trimmed = line.trim().replace(/^- /, "").replace(/^["']/, "");
      return number >= place && number < last && trimmed.startsWith(part) && /^["']?\s*:/.test(trimmed.slice(part.length));
    });
    if (found < 0) break;
    place = found;
  }
  return place;
}
