// A change of the split: what counts as a weight, and undoing and doing again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { keepSteps, readWeight } from "../../../kfambassador/notebook/front_end/split.js";
import { makeChance } from "./random.js";

/** A split that is changed as the gateway changes it; one that is away changes nothing. */
function makeSplitOf(weights) {
  const split = { weights, isAway: false };
  split.change = async (name, weight) => {
    if (split.isAway) return null;
    const before = split.weights[name];
    split.weights = { ...split.weights, [name]: weight };
    return before;
  };
  return split;
}

for (const [text, weight] of [
  ["0", 0],
  ["7", 7],
  ["12.5", 13],
  ["100", 100],
  ["250", 100],
  ["-3", 0],
  // A field that was emptied says nothing about who gets how much.
  ["", null],
  ["  ", null],
  ["much", null],
  ["10%", null],
]) {
  test(`"${text}" is ${weight === null ? "no weight" : `a weight of ${weight}`}`, () => assert.equal(readWeight(text), weight));
}

test("a change is undone, and done again", async () => {
  const split = makeSplitOf({ canary: 10 });
  const steps = keepSteps(split.change);
  assert.equal(await steps.go("canary", 50), true);
  assert.deepEqual(split.weights, { canary: 50 });
  assert.equal(await steps.undo(), true);
  assert.deepEqual(split.weights, { canary: 10 });
  assert.equal(await steps.redo(), true);
  assert.deepEqual(split.weights, { canary: 50 });
});

test("where there is nothing to undo, nothing is changed", async () => {
  const split = makeSplitOf({ canary: 10 });
  const steps = keepSteps(split.change);
  assert.equal(await steps.undo(), false);
  assert.equal(await steps.redo(), false);
  assert.deepEqual(split.weights, { canary: 10 });
});

test("after another change what was undone cannot be done again", async () => {
  const split = makeSplitOf({ canary: 10, next: 0 });
  const steps = keepSteps(split.change);
  await steps.go("canary", 50);
  await steps.undo();
  await steps.go("next", 5);
  assert.equal(await steps.redo(), false);
  assert.deepEqual(split.weights, { canary: 10, next: 5 });
});

test("a change that fails is none: it is not undone, and takes nothing away", async () => {
  const split = makeSplitOf({ canary: 10 });
  const steps = keepSteps(split.change);
  await steps.go("canary", 50);
  await steps.undo();
  split.isAway = true;
  assert.equal(await steps.go("canary", 70), false);
  split.isAway = false;
  assert.deepEqual([steps.done.length, steps.undone.length], [0, 1]);
  await steps.redo();
  assert.deepEqual(split.weights, { canary: 50 });
});

test("undoing that fails can be tried again", async () => {
  const split = makeSplitOf({ canary: 10 });
  const steps = keepSteps(split.change);
  await steps.go("canary", 50);
  split.isAway = true;
  assert.equal(await steps.undo(), false);
  split.isAway = false;
  assert.equal(await steps.undo(), true);
  assert.deepEqual(split.weights, { canary: 10 });
});

test("a weight of nought is a weight", async () => {
  const split = makeSplitOf({ canary: 0 });
  const steps = keepSteps(split.change);
  assert.equal(await steps.go("canary", 50), true);
  assert.equal(await steps.undo(), true);
  assert.deepEqual(split.weights, { canary: 0 });
});

test("of many random changes each way back leads through what was, and forth again", async () => {
  for (let seed = 0; seed < 100; seed += 1) {
    const chance = makeChance(seed);
    const split = makeSplitOf({ a: 0, b: 10, c: 100 });
    const steps = keepSteps(split.change);
    const seen = [split.weights];
    for (let number = 0; number < 20; number += 1) {
      split.isAway = chance.is(4);
      const isDone = await steps.go(chance.pick(["a", "b", "c"]), chance.below(101));
      assert.equal(isDone, !split.isAway);
      if (isDone) seen.push(split.weights);
    }
    split.isAway = false;
    for (const was of seen.slice(0, -1).reverse()) {
      assert.equal(await steps.undo(), true);
      assert.deepEqual(split.weights, was);
    }
    assert.equal(await steps.undo(), false);
    for (const was of seen.slice(1)) {
      assert.equal(await steps.redo(), true);
      assert.deepEqual(split.weights, was);
    }
    assert.equal(await steps.redo(), false);
  }
});
