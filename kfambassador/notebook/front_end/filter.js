// What a person types into the filter, and which rows it leaves. Pure: no page, no clock.

import { figuresOf } from "./figures.js";

const STATES_KNOWN = ["serving", "pending", "warned", "conflict", "rejected"];
const TEXTS = {
  state: (row) => row.state,
  ns: (row) => row.namespace,
  method: (row) => row.method,
  path: (row) => row.path,
  host: (row) => row.conditions,
  service: (row) => row.splits.map((split) => split.service).join(" "),
  mapping: (row) => row.splits.map((split) => split.mapping).join(" "),
  object: (row) => row.splits.map((split) => split.object).join(" "),
};
const SYNONYMS = { namespace: "ns" };
const KINDS = {
  problem: (row) => row.problems.length > 0,
  conflict: (row, _figures, problems) => row.problems.some((number) => problems[number]?.conflict),
  split: (row) => row.splits.filter((split) => !split.copy).length > 1,
  shadow: (row) => row.splits.some((split) => split.copy),
  busy: (row, figures) => (figuresOf(row, figures)?.rate ?? 0) > 0,
};
const NUMBERS = { rate: "rate", errors: "errors", p99: "p99" };
const WORD = /(-)?(?:([a-z0-9]+)(:|>=?|<=?))?(?:"([^"]*)"?|(\S+))/gi;
const UNFINISHED = /^-?([a-z0-9]+)(:|>=?|<=?)$|^-$/i;

/**
 * Read what was typed.
 * @param {string} text
 * @returns {{terms: Array<Object>, faults: string[]}} What all must hold, and what was not understood.
 */
export function parseFilter(text) {
  const terms = [];
  const faults = [];
  for (const [whole, minus, field, operator, quoted, plain] of text.matchAll(WORD)) {
    const value = (quoted ?? plain).toLowerCase();
    // Somebody is still typing it.
    if (value === "" || isUnfinished(whole)) continue;
    const term = field ? readQualifier(field.toLowerCase(), operator, value, whole) : { kind: "any", value };
    if (term.fault) faults.push(term.fault);
    else terms.push({ ...term, not: Boolean(minus) });
  }
  return { terms, faults };
}

function isUnfinished(whole) {
  const [found, field] = UNFINISHED.exec(whole) ?? [];
  const name = SYNONYMS[field?.toLowerCase()] ?? field?.toLowerCase();
  return found === "-" || (field !== undefined && (name === "is" || name in TEXTS || name in NUMBERS));
}

function readQualifier(field, operator, value, whole) {
  const name = SYNONYMS[field] ?? field;
  if (operator === ":" && name === "is") {
    const kind = Object.keys(KINDS).find((each) => each.startsWith(value));
    return kind ? { kind: "is", value: kind } : { fault: `is:${value} is unknown; there are ${list(KINDS, "is:")}` };
  }
  if (operator === ":" && name === "state" && !STATES_KNOWN.some((state) => state.includes(value))) {
    return { fault: `No state is called ${value}; there are ${STATES_KNOWN.join(", ")}` };
  }
  if (operator === ":" && name in TEXTS) return { kind: "text", field: name, value };
  if (operator !== ":" && name in NUMBERS) {
    const limit = Number.parseFloat(value);
    if (Number.isNaN(limit)) return { fault: `${whole}: ${value} is no number` };
    return { kind: "number", field: NUMBERS[name], operator, limit: name === "errors" ? limit / 100 : limit };
  }
  if (operator === ":" && name in NUMBERS) return { fault: `${whole}: write ${name}>${value} or ${name}<${value}` };
  // A path or an address with a colon is just text.
  if (operator === ":" && !/^[a-z]+$/.test(field)) return { kind: "any", value: whole.toLowerCase() };
  if (operator === ":" && /[/\d]/.test(value)) return { kind: "any", value: whole.toLowerCase() };
  return { fault: `${field}${operator} is unknown; there are ${list(TEXTS, "", ":")}, is:, ${list(NUMBERS, "", ">")}` };
}

function list(known, before, after = "") {
  return Object.keys(known)
    .map((name) => `${before}${name}${after}`)
    .join(", ");
}

/**
 * Prepare rows to be searched as quickly as a person types.
 * @param {Array<Object>} rows
 * @param {Array<Object>} problems
 */
export function indexRows(rows, problems) {
  const words = rows.map((row) =>
    [
      row.method,
      row.path,
      row.conditions,
      row.state === "rejected" ? "left out" : row.state,
      ...row.splits.flatMap((split) => [split.mapping, split.service, split.rewrite, split.object]),
      ...row.problems.map((number) => `${problems[number]?.code} ${problems[number]?.message}`),
    ]
      .join("\n")
      .toLowerCase(),
  );
  return { rows, problems, words };
}

/**
 * Find the rows that a filter leaves.
 * @param {Object} index Of indexRows.
 * @param {Array<Object>} terms Of parseFilter.
 * @param {Object} figures By mapping.
 * @returns {number[]} Their places, in order.
 */
export function selectRows(index, terms, figures) {
  const tests = terms.map((term) => makeTest(index, term, figures));
  const found = [];
  for (let place = 0; place < index.rows.length; place += 1) {
    if (tests.every((test) => test(place))) found.push(place);
  }
  return found;
}

function makeTest({ rows, words, problems }, term, figures) {
  const holds = {
    any: (place) => words[place].includes(term.value),
    text: (place) => TEXTS[term.field](rows[place]).toLowerCase().includes(term.value),
    is: (place) => isOfKind(rows[place], term.value, figures, problems),
    number: (place) => compare(figuresOf(rows[place], figures)?.[term.field], term.operator, term.limit),
  }[term.kind];
  return term.not ? (place) => !holds(place) : holds;
}

function compare(value, operator, limit) {
  if (value === null || value === undefined) return false;
  return { ">": value > limit, ">=": value >= limit, "<": value < limit, "<=": value <= limit }[operator];
}

/** Whether another figure can bring other rows. */
export function dependsOnFigures(terms) {
  return terms.some((term) => term.kind === "number" || (term.kind === "is" && term.value === "busy"));
}

/** Whether a filter has a word, as it is. */
export function hasWord(text, word) {
  return splitWords(text.toLowerCase()).includes(word);
}

/** Add a word to a filter, or take it out when it is there. */
export function toggleWord(text, word) {
  const words = splitWords(text);
  const others = words.filter((each) => each.toLowerCase() !== word);
  return (others.length < words.length ? others : [...words, word]).join(" ");
}

/** What was typed, word by word; quotes that are still open are closed, so that nothing else gets in. */
function splitWords(text) {
  return [...text.matchAll(WORD)].map(([, minus = "", field = "", operator = "", quoted, plain]) => {
    return minus + field + operator + (plain ?? `"${quoted}"`);
  });
}

/** Whether a row is of a kind that "is:" asks for, such as conflict. */
export function isOfKind(row, kind, figures, problems) {
  return KINDS[kind](row, figures, problems);
}
