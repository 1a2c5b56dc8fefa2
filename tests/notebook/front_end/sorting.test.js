// The order of rows: what a click on a heading asks for, and which row then comes before which.

import assert from "node:assert/strict";
import { test } from "node:test";

import { COLUMNS, isLiveOrder, nextOrder, sortRows } from "../../../kfambassador/notebook/front_end/sorting.js";
import { makeChance, makeRandomTable } from "./random.js";
import { makeRow, makeSplit } from "./tables.js";

const NUMBERS = ["rate", "errors", "p99"];
const ROWS = [
  makeRow(1, { path: "/b", method: "POST", state: "serving", splits: [makeSplit("team/b")] }),
  makeRow(2, { path: "/a", method: "*", state: "rejected", splits: [makeSplit("team/a")] }),
  makeRow(3, { path: "", method: "", state: "conflict", splits: [makeSplit("team/c", { mapping: "", service: "", rewrite: "" })] }),
  makeRow(4, { path: "/a", method: "GET", state: "warned", splits: [makeSplit("team/d", { rewrite: "/z" })] }),
  makeRow(5, { path: "/c", method: "GET", state: "pending", splits: [makeSplit("team/e", { rewrite: "" })] }),
];
const FIGURES = { "team/b": [5, 0, 30, 0], "team/d": [200, 0.5, null, 0], "team/e": [0, 0, 7, 0] };
const ALL = ROWS.map((_, place) => place);

function sort(column, direction, places = ALL) {
  return sortRows(places, ROWS, { column, direction }, FIGURES);
}

function columnOf(name) {
  return COLUMNS.find((column) => column.name === name);
}

for (const [column, up, down] of [
  // What is worst comes first.
  ["state", [1, 2, 3, 4, 0], [0, 4, 3, 2, 1]],
  ["method", [1, 3, 4, 0, 2], [0, 3, 4, 1, 2]],
  // A row without a path has its object's name.
  ["path", [1, 3, 0, 4, 2], [2, 4, 0, 1, 3]],
  ["service", [1, 0, 3, 4, 2], [4, 3, 0, 1, 2]],
  ["rewrite", [1, 0, 3, 2, 4], [3, 0, 1, 2, 4]],
  ["rate", [4, 0, 3, 1, 2], [3, 0, 4, 1, 2]],
  ["errors", [0, 4, 3, 1, 2], [3, 0, 4, 1, 2]],
  ["p99", [4, 0, 1, 2, 3], [0, 4, 1, 2, 3]],
  ["mapping", [2, 1, 0, 3, 4], [4, 3, 0, 1, 2]],
]) {
  test(`by ${column}: equal ones stay in the order of evaluation, and what has no value comes last in both directions`, () => {
    assert.deepEqual(sort(column, 1), up);
    assert.deepEqual(sort(column, -1), down);
  });
}

test("without an order, or with one by a column that is not there, it is the order of evaluation", () => {
  assert.deepEqual(sortRows(ALL, ROWS, null, FIGURES), ALL);
  assert.deepEqual(sort("colour", 1), ALL);
});

test("only what was found is sorted, and the given places stay as they are", () => {
  const places = [0, 2, 4];
  assert.deepEqual(sort("state", 1, places), [2, 4, 0]);
  assert.deepEqual(places, [0, 2, 4]);
});

test("the first click on a number begins with the largest, on a text with the first", () => {
  for (const column of COLUMNS) {
    const direction = NUMBERS.includes(column.name) ? -1 : 1;
    assert.deepEqual(nextOrder(null, column), { column: column.name, direction });
  }
});

test("the second click turns it round, and the third ends it", () => {
  for (const column of COLUMNS) {
    const first = nextOrder(null, column);
    const second = nextOrder(first, column);
    assert.deepEqual(second, { column: column.name, direction: -first.direction });
    assert.equal(nextOrder(second, column), null);
  }
});

test("a click on another heading begins there anew", () => {
  const order = nextOrder(nextOrder(null, columnOf("path")), columnOf("path"));
  assert.deepEqual(nextOrder(order, columnOf("rate")), { column: "rate", direction: -1 });
});

test("an order by numbers is live, any other and none is not", () => {
  for (const { name } of COLUMNS) assert.equal(isLiveOrder({ column: name, direction: 1 }), NUMBERS.includes(name), name);
  assert.equal(isLiveOrder(null), false);
  assert.equal(isLiveOrder({ column: "colour", direction: 1 }), false);
});

test("of many random tables: a permutation, stable, in order, with what has no value at the end", () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const chance = makeChance(seed);
    const { routes, figures } = makeRandomTable(chance);
    const places = routes.map((_, place) => place).filter(() => !chance.is(3));
    const column = chance.pick(COLUMNS);
    const direction = chance.pick([1, -1]);
    const sorted = sortRows(places, routes, { column: column.name, direction }, figures);
    assert.deepEqual([...sorted].sort((a, b) => a - b), places);
    const keys = sorted.map((place) => column.key(routes[place], figures) ?? "");
    for (let number = 1; number < sorted.length; number += 1) {
      const [before, after] = [keys[number - 1], keys[number]];
      const isOrdered = direction > 0 ? before < after : before > after;
      const isEqual = before === after && sorted[number - 1] < sorted[number];
      assert.ok(isEqual || (before !== "" && (after === "" || isOrdered)), `${column.name}: ${before}, ${after}`);
    }
  }
});

test("an order does not depend on the one before", () => {
  const chance = makeChance(7);
  const { routes, figures } = makeRandomTable(chance, 50);
  const places = routes.map((_, place) => place);
  for (const column of COLUMNS) {
    const order = { column: column.name, direction: -1 };
    const shuffled = chance.shuffle(places);
    assert.deepEqual(sortRows(shuffled, routes, order, figures), sortRows(places, routes, order, figures));
  }
});
