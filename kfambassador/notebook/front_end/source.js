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
  // Of what is wrong with another variant of the row, this text may hold nothing.
  const own = problems.filter((problem) => problem.object === told.object);
  const lines = markLines(told.text, told.text_of === "spec" ? null : row.splits[0]?.line, own);
  const drawn = lines.map(({ number, text, own: isOwn, notes }) => [
    h("span", { class: isOwn ? "kfa-line" : "kfa-line kfa-soft" }, h("span", { class: "kfa-lineno" }, number), text || " "),
    notes.map((note) => h("span", { class: "kfa-line kfa-note" }, h("span", { class: "kfa-lineno" }, "↑"), note)),
  ]);
  const open = own.length > 0;
  return h("details", { open }, h("summary", {}, what), h("pre", { class: "kfa-source", tabindex: 0 }, drawn));
}

/**
 * Find which lines belong to the document, and to which line each problem belongs. Pure.
 * @param {string} text
 * @param {number|null} start The line the document starts at; null means that all of it is meant.
 * @param {Array<{path: string, message: string, line: number|null}>} problems Their line is where their own document starts.
 * @returns {Array<{number: number, text: string, own: boolean, notes: string[]}>}
 */
export function markLines(text, start, problems) {
  const lines = text.replace(/\n$/, "").split("\n");
  const shown = findDocument(lines, start);
  const marked = lines.map((line, place) => ({
    number: place + 1,
    text: line,
    own: place >= shown.from && place < shown.to,
    notes: [],
  }));
  for (const problem of problems) {
    const place = findLine(lines, start ? findDocument(lines, problem.line ?? start) : shown, problem.path);
    if (marked[place]) marked[place].notes.push(problem.path ? `${problem.path}: ${problem.message}` : problem.message);
  }
  return marked;
}

function findDocument(lines, start) {
  const from = start ? start - 1 : 0;
  const to = start ? lines.findIndex((line, place) => place > from && /^---(\s|$)/.test(line)) : -1;
  return { from, to: to < 0 ? lines.length : to };
}

/** The line of a field: each part of its path is looked for below the one before. */
function findLine(lines, document, path) {
  let place = document.from;
  let block = document;
  for (const part of (path ?? "").split(/[.[\]]+/).filter(Boolean)) {
    const found = findPart(lines, block, part);
    if (!found) break;
    [place, block] = [found.place, found];
  }
  return place;
}

/** A field, or the item of a number, and what is written below it; the least indented of its name is no one else's. */
function findPart(lines, { from, to }, part) {
  const isItem = /^\d+$/.test(part);
  const lead = isItem ? /^ */ : /^ *(?:- +)*/;
  const measure = (line) => lead.exec(line)[0].length;
  const isMeant = (text) => (isItem ? /^-(\s|$)/.test(text) : isField(text, part));
  const places = [];
  for (let place = from; place < to; place += 1) if (isMeant(lines[place].slice(measure(lines[place])))) places.push(place);
  const least = Math.min(...places.map((place) => measure(lines[place])));
  const place = places.filter((each) => measure(lines[each]) === least)[isItem ? Number(part) : 0];
  if (place === undefined) return null;
  const end = lines.findIndex((line, each) => each > place && each < to && /^\s*[^\s#]/.test(line) && measure(line) <= least);
  // The first field of an item stands in the item's own line.
  return { place, from: isItem ? place : place + 1, to: end < 0 ? to : end };
}

function isField(text, name) {
  const bare = text.replace(/^["']/, "");
  return bare.startsWith(name) && /^["']?\s*:(\s|$)/.test(bare.slice(name.length));
}
