// Numbers as a person reads them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { countOf, makeId, wordsOf, writePercent, writeRate, writeTime } from "../../../kfambassador/notebook/front_end/dom.js";
import { makeChance } from "./random.js";

const WRITTEN = [
  [writeRate, null, ""],
  [writeRate, undefined, ""],
  [writeRate, 0, "0.0"],
  [writeRate, 0.001, "<0.1"],
  [writeRate, 0.05, "0.1"],
  [writeRate, 0.44, "0.4"],
  [writeRate, 9.4, "9.4"],
  [writeRate, 10, "10"],
  [writeRate, 99.4, "99"],
  [writeRate, 1250.4, "1,250"],
  [writePercent, null, ""],
  [writePercent, undefined, ""],
  [writePercent, 0, "0%"],
  [writePercent, 0.0001, "<0.1%"],
  [writePercent, 0.031, "3.1%"],
  [writePercent, 0.256, "26%"],
  [writePercent, 1, "100%"],
  [writeTime, null, ""],
  [writeTime, undefined, ""],
  [writeTime, 0, "0.0 ms"],
  [writeTime, 4.26, "4.3 ms"],
  [writeTime, 432.5, "433 ms"],
  [writeTime, 10_000, "10 s"],
  [writeTime, 61_000, "61 s"],
];

for (const [write, value, text] of WRITTEN) {
  test(`${write.name} makes "${text}" of ${value}`, () => assert.equal(write(value), text));
}

for (const [write, unit, most] of [
  [writeRate, 1, 100_000],
  [writePercent, 100, 1],
  [writeTime, 1, 9_000],
]) {
  test(`what ${write.name} says is off by less than a tenth, or by a twentieth part`, () => {
    for (let seed = 0; seed < 2000; seed += 1) {
      const chance = makeChance(seed);
      const value = (chance.below(1_000_000) / 1_000_000) ** 4 * most;
      const text = write(value);
      if (text.startsWith("<")) assert.ok(value > 0 && value * unit < 0.1, `${value}: ${text}`);
      else assert.ok(Math.abs(Number.parseFloat(text.replaceAll(",", "")) - value * unit) <= Math.max(0.0501, value * unit * 0.05), `${value}: ${text}`);
    }
  });
}

test("one thing is one, and none and many are things", () => {
  assert.equal(countOf(1, "route"), "1 route");
  assert.equal(countOf(0, "route"), "0 routes");
  assert.equal(countOf(5000, "route"), "5,000 routes");
});

test("no two elements have one name", () => {
  const names = Array.from({ length: 100 }, () => makeId("row"));
  assert.equal(new Set(names).size, 100);
  assert.match(names[0], /^kfa-row-\d+$/);
});

test("an error speaks in its own words where it has some", () => {
  assert.equal(wordsOf(Object.assign(new Error("inside"), { words: "The gateway is away." })), "The gateway is away.");
  assert.equal(wordsOf(new TypeError("odd")), "TypeError: odd");
});
