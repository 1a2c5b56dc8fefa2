// The filter: what is understood of what a person types, and which rows it leaves.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  dependsOnFigures,
  hasWord,
  indexRows,
  isOfKind,
  parseFilter,
  selectRows,
  toggleWord,
} from "../../../kfambassador/notebook/front_end/filter.js";
import { makeChance, makeRandomFilter, makeRandomTable } from "./random.js";
import { makeProblem, makeRow, makeSplit, makeTableEvent } from "./tables.js";

const PROBLEMS = [
  makeProblem("Service fraud/twin", { code: "taken", message: "fraud/other was there first.", conflict: true }),
  makeProblem("Service fraud/odd", { code: "unknown-field", message: "timeout_sec is no field.", conflict: false }),
];
const PLAIN = { method: "POST", conditions: "", state: "serving", problems: [] };
const NOTHING = makeSplit("fraud/broken", { mapping: "", service: "", rewrite: "", share: 0 });
const ROWS = [
  row("vision/mnist", { path: "/models/mnist/*", splits: [split("vision/mnist", 90), split("vision/mnist-canary", 10)] }),
  row("fraud/twin", { path: "/models/twin/*", state: "conflict", problems: [0], method: "*" }),
  row("fraud/odd", { path: "/models/odd/*", state: "warned", problems: [1], conditions: "host=Models.Example.com" }),
  row("speech/asr", { path: "/models/asr/*", state: "pending", splits: [split("speech/asr", 100), copy("speech/asr-next")] }),
  row("fraud/broken", { path: "", method: "", state: "rejected", splits: [NOTHING] }),
];
const FIGURES = { "vision/mnist": [120, 0.02, 250, 0], "vision/mnist-canary": [0, 0, 5, 0], "speech/asr": [0.5, 0, null, 0] };

function row(mapping, changes) {
  const [namespace] = mapping.split("/");
  return makeRow(1, { ...PLAIN, id: mapping, namespace, splits: [split(mapping, 100)], ...changes });
}

function split(mapping, share) {
  return makeSplit(mapping, { share });
}

function copy(mapping) {
  return makeSplit(mapping, { share: 20, copy: true });
}

/** The names of the rows that a filter leaves; it must be understood whole. */
function find(text, rows = ROWS, figures = FIGURES) {
  const { terms, faults } = parseFilter(text);
  assert.deepEqual(faults, []);
  return selectRows(indexRows(rows, PROBLEMS), terms, figures).map((place) => rows[place].id.split("/")[1]);
}

for (const [text, names] of [
  ["", ["mnist", "twin", "odd", "asr", "broken"]],
  ["mnist", ["mnist"]],
  ["MNIST", ["mnist"]],
  ["models post", ["mnist", "odd", "asr"]],
  ["models -post", ["twin"]],
  ["-models", ["broken"]],
  ["host=models.example", ["odd"]],
  ["left", ["broken"]],
  ['"left out"', ["broken"]],
  ["out left", ["broken"]],
  ['"out left"', []],
  ["rejected", []],
  ["timeout_sec", ["odd"]],
  ["taken first", ["twin"]],
  ["mnist-canary.vision:8501", ["mnist"]],
  [":predict", ["mnist", "twin", "odd", "asr"]],
  ["service/speech", []],
  ['"service speech/"', ["asr"]],
  ["state:conflict", ["twin"]],
  ["state:serving", ["mnist"]],
  ["state:rej", ["broken"]],
  ["-state:serving -state:rejected", ["twin", "odd", "asr"]],
  ["ns:fraud", ["twin", "odd", "broken"]],
  ["namespace:fraud -state:conflict", ["odd", "broken"]],
  ["NS:Fraud METHOD:*", ["twin"]],
  ["method:post", ["mnist", "odd", "asr"]],
  ["path:asr", ["asr"]],
  ["path:/models/asr/*", ["asr"]],
  ["host:example", ["odd"]],
  ["-host:example method:post", ["mnist", "asr"]],
  ["service:canary", ["mnist"]],
  ["mapping:speech/asr", ["asr"]],
  ["mapping:broken", []],
  ['object:"service fraud/broken"', ["broken"]],
  ["is:problem", ["twin", "odd"]],
  ["-is:problem", ["mnist", "asr", "broken"]],
  ["is:conflict", ["twin"]],
  ["is:split", ["mnist"]],
  ["is:shadow", ["asr"]],
  ["is:busy", ["mnist", "asr"]],
  ["is:s", ["mnist"]],
  ["rate>1", ["mnist"]],
  ["rate>=0.5", ["mnist", "asr"]],
  ["rate<=0.5", ["asr"]],
  ["rate<0.5", []],
  ["errors>=2", ["mnist"]],
  ["errors>2", []],
  ["errors<1", ["asr"]],
  ["p99>200", ["mnist"]],
  ["p99<200", []],
  ["-p99>200", ["twin", "odd", "asr", "broken"]],
  ["p99>=250ms", ["mnist"]],
]) {
  test(`"${text}" leaves ${names.join(", ") || "nothing"}`, () => assert.deepEqual(find(text), names));
}

for (const text of ["-", "ns:", "-ns:", "namespace:", "is:", "rate>", "errors>=", "p99<", "rate:", '"', '-"', 'ns:"', 'is:"', 'state:""', 'p99>"', '""']) {
  test(`${text} is still being typed, and hides and tells nothing`, () => {
    assert.deepEqual(parseFilter(text), { terms: [], faults: [] });
    assert.equal(find(`mnist ${text}`).length, 1);
  });
}

for (const [text, words] of [
  ["is:nonsense", /^is:nonsense is unknown; there are is:problem, is:conflict, is:split, is:shadow, is:busy$/],
  ["state:gone", /^No state is called gone; there are serving, pending, warned, conflict, rejected$/],
  ["rate:5", /^rate:5: write rate>5 or rate<5$/],
  ["rate>much", /^rate>much: much is no number$/],
  ["colour:red", /^colour: is unknown; there are state:, ns:, .*, is:, rate>, errors>, p99>$/],
  ["path>5", /^path> is unknown/],
  ["is>5", /^is> is unknown/],
  ["constructor:x", /^constructor: is unknown/],
  ["-colour:red", /^colour: is unknown/],
]) {
  test(`${text} is told as not understood, and hides nothing`, () => {
    const { terms, faults } = parseFilter(`mnist ${text}`);
    assert.equal(faults.length, 1);
    assert.match(faults[0], words);
    assert.deepEqual(terms, parseFilter("mnist").terms);
  });
}

for (const text of ["http://mnist:80/", "mnist:8501", "127.0.0.1:8501", "/v1/models/mnist:predict", "localhost:", "a1:b"]) {
  test(`${text} is looked for as it is, colon and all`, () => {
    assert.deepEqual(parseFilter(text), { terms: [{ kind: "any", value: text, not: false }], faults: [] });
  });
}

test("every fault is told, in the order it was typed", () => {
  const { faults } = parseFilter("is:x mnist rate:1 state:y");
  assert.deepEqual(faults.map((fault) => fault.split(" ")[0]), ["is:x", "rate:1:", "No"]);
});

test("a quote that is not yet closed is looked for to its end", () => {
  assert.deepEqual(parseFilter('ns:"two wor').terms, [{ kind: "text", field: "ns", value: "two wor", not: false }]);
  assert.deepEqual(find('"left ou'), ["broken"]);
  assert.deepEqual(find('-"left ou').length, 4);
});

test("what has no figures is neither above a number nor below it", () => {
  assert.deepEqual(find("rate>=0"), ["mnist", "asr"]);
  assert.deepEqual(find("rate<1000"), ["mnist", "asr"]);
  assert.deepEqual(find("p99<1000"), ["mnist"]);
  assert.deepEqual(find("rate<1000", ROWS, {}), []);
});

test("what stands in two parts of a row is no phrase", () => {
  assert.deepEqual(find("post /models/odd"), ["odd"]);
  assert.deepEqual(find('"post /models/odd"'), []);
});

test("a row that names a problem which is not there is no conflict", () => {
  const lost = { ...ROWS[1], problems: [99] };
  assert.equal(isOfKind(lost, "conflict", {}, PROBLEMS), false);
  assert.equal(isOfKind(lost, "problem", {}, PROBLEMS), true);
  assert.deepEqual(find("twin", [lost]), ["twin"]);
});

test("a copy alone makes no split, and a split no copy", () => {
  assert.equal(isOfKind(ROWS[3], "split", {}, PROBLEMS), false);
  assert.equal(isOfKind(ROWS[0], "shadow", {}, PROBLEMS), false);
});

test("only numbers and busy ones change with the figures", () => {
  const depends = (text) => dependsOnFigures(parseFilter(text).terms);
  for (const text of ["rate>1", "errors<5", "mnist p99>3", "is:busy", "-is:busy"]) assert.equal(depends(text), true, text);
  for (const text of ["", "mnist", "is:problem", "state:pending ns:a", "rate>", '"is:busy"']) assert.equal(depends(text), false, text);
});

test("a chip's word is put behind the filter, and taken out of it", () => {
  assert.equal(toggleWord("", "is:split"), "is:split");
  assert.equal(toggleWord("mnist  ns:a", "is:split"), "mnist ns:a is:split");
  assert.equal(toggleWord("mnist Is:Split ns:a is:split", "is:split"), "mnist ns:a");
  assert.equal(toggleWord("-is:split", "is:split"), "-is:split is:split");
});

test("a chip's word in quotes is no chip's, and quotes stay as they are", () => {
  assert.equal(hasWord('"is:split"', "is:split"), false);
  assert.equal(hasWord('"an is:split b"', "is:split"), false);
  assert.equal(toggleWord('"two  words" is:split', "is:split"), '"two  words"');
  assert.equal(toggleWord('ns:"a  b"', "is:split"), 'ns:"a  b" is:split');
});

test("a quote that is not yet closed takes no chip's word in", () => {
  const text = toggleWord('mnist "two wor', "is:split");
  assert.equal(text, 'mnist "two wor" is:split');
  assert.equal(hasWord(text, "is:split"), true);
});

test("a filter has a word only whole", () => {
  assert.equal(hasWord("mnist IS:split", "is:split"), true);
  for (const text of ["", "is:splits", "-is:split", "xis:split", "is: split"]) assert.equal(hasWord(text, "is:split"), false, text);
});

test("of many random tables and filters: a subset in order, the same again, and what is negated is the rest", () => {
  for (let seed = 0; seed < 400; seed += 1) {
    const chance = makeChance(seed);
    const { routes, problems, figures } = makeRandomTable(chance);
    const text = makeRandomFilter(chance);
    const index = indexRows(routes, problems);
    const { terms } = parseFilter(text);
    const places = selectRows(index, terms, figures);
    assert.ok(places.every((place, number) => place < routes.length && (number === 0 || place > places[number - 1])), text);
    assert.deepEqual(selectRows(index, terms, figures), places);
    const each = terms.map((term) => new Set(selectRows(index, [term], figures)));
    assert.deepEqual(places, routes.map((_, place) => place).filter((place) => each.every((found) => found.has(place))), text);
    terms.forEach((term, number) => {
      const others = selectRows(index, [{ ...term, not: !term.not }], figures);
      assert.equal(others.length + each[number].size, routes.length, text);
      assert.ok(others.every((place) => !each[number].has(place)), text);
    });
  }
});

test("of many random filters: pressing a chip twice asks for the same as before", () => {
  for (let seed = 0; seed < 400; seed += 1) {
    const text = makeRandomFilter(makeChance(seed));
    const once = toggleWord(text, "is:shadow");
    assert.notEqual(hasWord(once, "is:shadow"), hasWord(text, "is:shadow"), text);
    if (hasWord(text, "is:shadow")) continue;
    const twice = toggleWord(once, "is:shadow");
    assert.deepEqual(parseFilter(twice), parseFilter(text), text);
    assert.deepEqual(parseFilter(once).terms.at(-1), { kind: "is", value: "shadow", not: false }, once);
  }
});

test("five thousand rows are searched by what they say, and none is missed", () => {
  const { routes, problems } = makeTableEvent(5000);
  const index = indexRows(routes, problems);
  const found = (text) => selectRows(index, parseFilter(text).terms, {}).length;
  assert.equal(found(""), 5001);
  assert.equal(found("state:conflict"), 50);
  assert.equal(found("state:conflict") + found("-state:conflict"), 5001);
  assert.equal(found("model-4321"), 1);
});
