// What is live of a row, out of what was counted of its mappings.

import assert from "node:assert/strict";
import { test } from "node:test";

import { figuresOf } from "../../../kfambassador/notebook/front_end/figures.js";
import { makeRow, makeSplit } from "./tables.js";

const STABLE = makeSplit("team/m", { share: 90 });
const CANARY = makeSplit("team/m-canary", { share: 10 });
const SHADOW = makeSplit("team/m-next", { share: 20, copy: true });

function read(splits, figures) {
  return figuresOf(makeRow(1, { splits }), figures);
}

test("one mapping has its own figures", () => {
  assert.deepEqual(read([STABLE], { "team/m": [5, 0.1, 30, 2] }), { rate: 5, errors: 0.1, p99: 30, shared: 2 });
});

test("a row without traffic, and one that has no mapping, has none", () => {
  assert.equal(read([STABLE], {}), null);
  assert.equal(read([STABLE], { "team/other": [5, 0, 1, 0] }), null);
  assert.equal(read([], { "team/m": [5, 0, 1, 0] }), null);
  assert.equal(read([{ ...STABLE, mapping: "" }], { "team/m": [5, 0, 1, 0] }), null);
});

test("those who share a row are counted together: rates add up, errors weigh by rate, the slower time counts", () => {
  const both = read([STABLE, CANARY], { "team/m": [30, 0, 20, 1], "team/m-canary": [10, 0.4, 80, 3] });
  assert.deepEqual(both, { rate: 40, errors: 0.1, p99: 80, shared: 3 });
});

test("whoever of them has no traffic changes nothing", () => {
  const figures = { "team/m": [30, 0.5, 20, 0] };
  assert.deepEqual(read([STABLE, CANARY], figures), { rate: 30, errors: 0.5, p99: 20, shared: 0 });
  assert.deepEqual(read([CANARY, STABLE], figures), { rate: 30, errors: 0.5, p99: 20, shared: 0 });
});

test("a time that is not known leaves the one that is, in either order, and none where neither is", () => {
  assert.equal(read([STABLE, CANARY], { "team/m": [1, 0, null, 0], "team/m-canary": [1, 0, 8, 0] }).p99, 8);
  assert.equal(read([STABLE, CANARY], { "team/m": [1, 0, 8, 0], "team/m-canary": [1, 0, null, 0] }).p99, 8);
  assert.equal(read([STABLE, CANARY], { "team/m": [1, 0, null, 0], "team/m-canary": [1, 0, null, 0] }).p99, null);
});

test("rates of nought have no share of errors that is no number", () => {
  assert.deepEqual(read([STABLE, CANARY], { "team/m": [0, 0, 1, 0], "team/m-canary": [0, 0, 2, 0] }), { rate: 0, errors: 0, p99: 2, shared: 0 });
});

test("mappings of one service are one count", () => {
  const twin = { ...CANARY, service: STABLE.service };
  const figures = { "team/m": [30, 0.5, 20, 1], "team/m-canary": [30, 0.5, 20, 1] };
  assert.deepEqual(read([STABLE, twin], figures), { rate: 30, errors: 0.5, p99: 20, shared: 1 });
});

test("what only gets copies answers nobody, and is not counted", () => {
  const figures = { "team/m": [30, 0, 20, 0], "team/m-next": [30, 1, 900, 0] };
  assert.deepEqual(read([SHADOW, STABLE], figures), { rate: 30, errors: 0, p99: 20, shared: 0 });
  assert.equal(read([SHADOW], figures), null);
});
