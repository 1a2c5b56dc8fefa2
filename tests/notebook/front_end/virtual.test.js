// Which rows are drawn, where keys and scrolling lead, and that what a person looks at stays where it is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ROW_HEIGHT, findShift, findWindow, moveTo, scrollTo } from "../../../kfambassador/notebook/front_end/virtual.js";
import { makeChance } from "./random.js";

const STYLE = new URL("../../../kfambassador/notebook/front_end/style.css", import.meta.url);

function name(number) {
  return `row ${number}`;
}

function names(count) {
  return Array.from({ length: count }, (_, number) => name(number));
}

test("a row is as high as the style sheet says", () => {
  assert.match(readFileSync(STYLE, "utf8"), new RegExp(`\\.kfa-row\\s*\\{[^}]*\\bheight: ${ROW_HEIGHT}px`));
});

for (const [scrolled, height, count, first, last] of [
  [0, 420, 0, 0, 0],
  [0, 420, 1, 0, 1],
  [0, 280, 5000, 0, 16],
  [28 * 100, 280, 5000, 94, 116],
  [28 * 100 + 1, 280, 5000, 94, 117],
  [28 * 4990, 280, 5000, 4984, 5000],
  [0, 0, 5000, 0, 6],
  // Some browsers scroll over both ends for a moment.
  [-50, 280, 5000, 0, 15],
  [1_000_000, 280, 50, 44, 50],
]) {
  test(`${height} pixels from ${scrolled} on of ${count} rows are drawn by rows ${first} to ${last}`, () => {
    assert.deepEqual(findWindow(scrolled, height, count), { first, last });
  });
}

test("of many windows: everything in sight is drawn, little else is, and never a row that is not there", () => {
  for (let seed = 0; seed < 2000; seed += 1) {
    const chance = makeChance(seed);
    const count = chance.pick([0, 1, 2, chance.below(50), chance.below(50_000)]);
    const height = chance.pick([0, 1, 27, 28, 29, chance.below(2000)]);
    const scrolled = chance.below(count * ROW_HEIGHT + 2000) - 500;
    const { first, last } = findWindow(scrolled, height, count);
    assert.ok(0 <= first && first <= last && last <= count, `${seed}`);
    assert.ok(last - first <= height / ROW_HEIGHT + 14, `${seed}: ${last - first} rows for ${height} pixels`);
    const seen = [Math.floor(scrolled / ROW_HEIGHT), Math.ceil((scrolled + height) / ROW_HEIGHT)];
    for (let place = Math.max(0, seen[0]); place < Math.min(count, seen[1]); place += 1) {
      assert.ok(first <= place && place < last, `${seed}: row ${place} of ${first} to ${last}`);
    }
  }
});

test("a row in sight is left where it is", () => {
  assert.equal(scrollTo(10, 28 * 10, 280), 28 * 10);
  assert.equal(scrollTo(19, 28 * 10, 280), 28 * 10);
  assert.equal(scrollTo(12, 301, 280), 301);
});

test("a row above comes to the top, one below to the bottom, and one that is cut comes in whole", () => {
  assert.equal(scrollTo(3, 28 * 10, 280), 28 * 3);
  assert.equal(scrollTo(20, 28 * 10, 280), 28 * 11);
  assert.equal(scrollTo(10, 28 * 10 + 1, 280), 28 * 10);
  assert.equal(scrollTo(19, 28 * 10 - 1, 280), 28 * 10);
  assert.equal(scrollTo(0, 0, 280), 0);
});

test("of many rows: where it is scrolled to, the row is in sight, and no nearer place would do", () => {
  for (let seed = 0; seed < 2000; seed += 1) {
    const chance = makeChance(seed);
    const [place, scrolled, height] = [chance.below(5000), chance.below(140_000), ROW_HEIGHT + chance.below(1000)];
    const to = scrollTo(place, scrolled, height);
    const isSeen = (from) => from <= place * ROW_HEIGHT && (place + 1) * ROW_HEIGHT <= from + height;
    assert.ok(isSeen(to), `${seed}`);
    const nearer = to - Math.sign(to - scrolled);
    assert.ok(to === scrolled ? isSeen(scrolled) : !isSeen(nearer), `${seed}`);
  }
});

for (const [key, place, wanted] of [
  ["ArrowDown", 4, 5],
  ["ArrowDown", 99, 99],
  ["ArrowDown", -1, 0],
  ["ArrowUp", 4, 3],
  ["ArrowUp", 0, 0],
  ["ArrowUp", -1, 0],
  ["PageDown", 4, 14],
  ["PageDown", 95, 99],
  ["PageUp", 14, 4],
  ["PageUp", 3, 0],
  ["Home", 50, 0],
  ["End", 50, 99],
]) {
  test(`${key} leads from row ${place} of a hundred to ${wanted}`, () => assert.equal(moveTo(key, place, 100, 10), wanted));
}

test("other keys lead nowhere, and in an empty table none does", () => {
  for (const key of ["a", "Enter", " ", "ArrowLeft", "Tab", "Escape"]) assert.equal(moveTo(key, 3, 100, 10), null, key);
  for (const key of ["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"]) assert.equal(moveTo(key, -1, 0, 10), null, key);
});

test("rows that come above move what is looked at, and rows below do not", () => {
  const before = names(100);
  assert.equal(findShift(28 * 40, before, ["new", ...before]), 28);
  assert.equal(findShift(28 * 40, before, before.slice(3)), -28 * 3);
  assert.equal(findShift(28 * 40, before, [...before, "new"]), 0);
  assert.equal(findShift(28 * 40, before, before), 0);
});

test("at the top nothing is moved, so that what is new is seen", () => {
  assert.equal(findShift(0, names(10), ["new", ...names(10)]), 0);
});

test("where the topmost row is gone, or there was none or is none, nothing is moved", () => {
  const before = names(100);
  assert.equal(findShift(28 * 40, before, before.filter((each) => each !== name(40))), 0);
  assert.equal(findShift(28 * 200, before, ["new", ...before]), 0);
  assert.equal(findShift(28 * 40, [], before), 0);
  assert.equal(findShift(28 * 40, before, []), 0);
  assert.equal(findShift(28, [], []), 0);
});

test("of many changes: the topmost row stays at the very same place", () => {
  for (let seed = 0; seed < 500; seed += 1) {
    const chance = makeChance(seed);
    const before = names(1 + chance.below(200));
    const after = before.flatMap((each) => (chance.is(9) ? [] : chance.is(9) ? [`${each} new`, each] : [each]));
    const scrolled = 1 + chance.below(before.length * ROW_HEIGHT);
    const top = before[Math.floor(scrolled / ROW_HEIGHT)];
    const now = scrolled + findShift(scrolled, before, after);
    if (after.includes(top)) assert.equal(after[Math.floor(now / ROW_HEIGHT)], top, `${seed}`);
    else assert.equal(now, scrolled, `${seed}`);
    assert.equal(Math.abs(now - scrolled) % ROW_HEIGHT, 0);
  }
});
