// What was written, with each problem at the line it is about.

import assert from "node:assert/strict";
import { test } from "node:test";

import { markLines } from "../../../kfambassador/notebook/front_end/source.js";
import { makeProblem } from "./tables.js";

const TWO = `---
apiVersion: ambassador/v1
kind: Mapping
name: mnist
prefix: /models/mnist/
cors:
  origins:
    - https://a.example
    - not an origin
  methods: GET
---
apiVersion: ambassador/v1
kind: Mapping
name: mnist-canary
prefix: /models/mnist/
weight: much
`;

/** Where the note of one problem stands: the line's number, or null. */
function place(text, path, { start = null, line = null } = {}) {
  const marked = markLines(text, start, [makeProblem("Service a/b", { path, message: "is wrong", line })]);
  const noted = marked.filter((each) => each.notes.length);
  assert.ok(noted.length < 2);
  return noted[0]?.number ?? null;
}

test("lines are numbered from one, and told as they are", () => {
  const marked = markLines("a: 1\n\n  b: 2\n", null, []);
  assert.deepEqual(marked, [
    { number: 1, text: "a: 1", own: true, notes: [] },
    { number: 2, text: "", own: true, notes: [] },
    { number: 3, text: "  b: 2", own: true, notes: [] },
  ]);
});

test("the row's own document is told from the others of the text", () => {
  const own = (start) => markLines(TWO, start, []).filter((line) => line.own).map((line) => line.number);
  assert.deepEqual(own(1), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(own(11), [11, 12, 13, 14, 15, 16]);
  assert.equal(own(null).length, 16);
});

test("a line of four dashes, or dashes in a value, begin no document", () => {
  const own = markLines("a: 1\n----\n  b: '---'\n--- # next\nc: 1\n", 1, []).map((line) => line.own);
  assert.deepEqual(own, [true, true, true, false, false]);
});

test("a problem says its field and what is wrong with it, and several may stand at one line", () => {
  const problems = [makeProblem("Service a/b", { path: "b", message: "one" }), makeProblem("Service a/b", { path: "b", message: "two" })];
  assert.deepEqual(markLines("a: 1\nb: 2", null, problems)[1].notes, ["b: one", "b: two"]);
});

test("one without a field is told at the document's first line", () => {
  const [problem] = [makeProblem("Service a/b", { path: "", message: "not YAML", line: 11 })];
  const marked = markLines(TWO, 1, [problem]);
  assert.deepEqual(marked[10].notes, ["not YAML"]);
  assert.equal(place(TWO, null, { start: 11, line: 11 }), 11);
});

for (const [path, number] of [
  ["prefix", 5],
  ["cors", 6],
  ["cors.origins", 7],
  ["cors.origins[0]", 8],
  ["cors.origins[1]", 9],
  ["cors.origins[7]", 7],
  ["cors.methods", 10],
  ["cors.max_age", 6],
  ["timeout_ms", 1],
  ["weight", 1],
]) {
  test(`${path} of the first document stands in line ${number}`, () => assert.equal(place(TWO, path, { start: 1, line: 1 }), number));
}

test("each problem is looked for in its own document", () => {
  assert.equal(place(TWO, "weight", { start: 1, line: 11 }), 16);
  assert.equal(place(TWO, "prefix", { start: 1, line: 11 }), 15);
  assert.equal(place(TWO, "prefix", { start: 11, line: 1 }), 5);
  assert.equal(place(TWO, "prefix", { start: 11 }), 15);
});

const NESTED = `labels:
  prefix: nothing of a route's
  ambassador:
  - request_label:
      - header: x-a
        key: a
      - header: x-b
        key: b
  - other: 1
    header: below
# prefix: a comment
headers:
  name: not ours
name: ours
prefix: /a/
`;

for (const [path, number] of [
  ["prefix", 15],
  ["name", 14],
  ["labels.prefix", 2],
  ["headers.name", 13],
  ["labels.ambassador", 3],
  ["labels.ambassador[0]", 4],
  ["labels.ambassador[0].request_label", 4],
  ["labels.ambassador[0].request_label[0].key", 6],
  ["labels.ambassador[0].request_label[1]", 7],
  ["labels.ambassador[0].request_label[1].header", 7],
  ["labels.ambassador[0].request_label[1].key", 8],
  ["labels.ambassador[1].other", 9],
  ["labels.ambassador[1].header", 10],
  ["labels.ambassador[2].header", 3],
  ["headers.prefix", 12],
]) {
  test(`${path} stands in line ${number}, whatever else has its name`, () => assert.equal(place(NESTED, path), number));
}

test("fields in quotes, with blanks, and behind an indented list are found", () => {
  assert.equal(place(`"prefix": /a/\n'weight' : 3\n`, "weight"), 2);
  assert.equal(place(`"prefix": /a/\n'weight' : 3\n`, "prefix"), 1);
  assert.equal(place("items:\n  -   name: a\n      prefix: b\n", "items[0].prefix"), 3);
});

test("a field is no other that begins with its name", () => {
  assert.equal(place("timeout_ms_idle: 1\ntimeout_ms: 2\n", "timeout_ms"), 2);
  assert.equal(place("prefix:/a/\nprefix: /b/\n", "prefix"), 2);
});

test("in one line of braces the line is all that can be told", () => {
  const flow = "a: 1\n---\n{kind: Mapping, prefix: /a/, cors: {origins: 7}}\n";
  assert.equal(place(flow, "cors.origins", { start: 2, line: 2 }), 2);
  assert.equal(place("cors: {origins: 7}\n", "cors.origins"), 1);
});

test("names that would mean something to a search for patterns are names", () => {
  assert.equal(place("headers:\n  x-a+b(c: 1\n  x-a: 2\n", "headers.x-a+b(c"), 2);
  assert.equal(place("a: 1\n", "*$^"), 1);
});
