// What is read of a person's typing, and told to them in words: questions, requests, outcomes, keys, commands.

import assert from "node:assert/strict";
import { test } from "node:test";

import { editCommand, withoutNull } from "../../../kfambassador/notebook/front_end/details.js";
import { readQuestion, tellOutcome } from "../../../kfambassador/notebook/front_end/explain.js";
import { indexRows, parseFilter, selectRows } from "../../../kfambassador/notebook/front_end/filter.js";
import { isOwnKey } from "../../../kfambassador/notebook/front_end/keys.js";
import { tellSteps } from "../../../kfambassador/notebook/front_end/progress.js";
import { countKinds } from "../../../kfambassador/notebook/front_end/search.js";
import { STATE_WORDS, writeCells, writeServices } from "../../../kfambassador/notebook/front_end/table.js";
import { findJsonFault, readHeaders, writeJson } from "../../../kfambassador/notebook/front_end/test_form.js";
import { makeProblem, makeRow, makeSplit, makeTableEvent } from "./tables.js";

for (const [text, method, url] of [
  ["/models/mnist/", "GET", "/models/mnist/"],
  ["  /models/mnist/?a=b  ", "GET", "/models/mnist/?a=b"],
  ["post /models/mnist/", "POST", "/models/mnist/"],
  ["DELETE   https://h.example/m/", "DELETE", "https://h.example/m/"],
  ["https://h.example/m/", "GET", "https://h.example/m/"],
  ["/a b", "GET", "/a b"],
  ["post /a b", "GET", "post /a b"],
  ["", "GET", ""],
  ["   ", "GET", ""],
]) {
  test(`"${text}" asks about ${method} ${url || "nothing"}`, () => {
    assert.deepEqual(readQuestion(text, "GET", ""), { method, url, headers: {} });
  });
}

for (const [text, headers] of [
  ["x-team: a", { "x-team": "a" }],
  ["x-team: a; X-User : b ", { "x-team": "a", "X-User": "b" }],
  ["x-time: 10:30", { "x-time": "10:30" }],
  ["x-flag", { "x-flag": "" }],
  [" ; : lost; ;", {}],
  ["__proto__: a", JSON.parse('{"__proto__": "a"}')],
]) {
  test(`"${text}" gives the question ${Object.keys(headers).length} headers`, () => {
    assert.deepEqual(readQuestion("/", "GET", text).headers, headers);
  });
}

for (const [told, words, tone] of [
  [{ outcome: "routed" }, "is routed", "kfa-good"],
  [{ outcome: "redirect", redirect: { code: 301, location: "https://h/" } }, "is redirected: 301 to https://h/", "kfa-warn"],
  [{ outcome: "refused", refusal: "its path is escaped oddly" }, "is refused: its path is escaped oddly", "kfa-bad"],
  [{ outcome: "elsewhere", elsewhere: "is taken by another namespace's route" }, "is taken by another namespace's route", "kfa-warn"],
  [{ outcome: "none" }, "is taken by no route: 404", "kfa-bad"],
]) {
  test(`what is ${told.outcome} is told in words`, () => assert.deepEqual(tellOutcome(told), [words, tone]));
}

test("headers without a name say nothing, names lose their blanks and values keep theirs", () => {
  assert.deepEqual(readHeaders([[" x-a ", " 1 "], ["", "lost"], ["  ", "lost"], ["x-b", ""]]), { "x-a": " 1 ", "x-b": "" });
  assert.deepEqual(readHeaders([["x-a", "1"], ["x-a", "2"]]), { "x-a": "2" });
});

for (const text of ["", "  ", "hello", "3", '"text"', '{"instances": [1.5, null]}', " [1, 2]\n", "instances=[1"]) {
  test(`${JSON.stringify(text)} is not called wrong JSON`, () => assert.equal(findJsonFault(text), ""));
}

test("what is wrong with JSON is told by line and column where that is known", () => {
  assert.equal(findJsonFault('{\n  "instances": [1, 2]\n  "more": 3\n}'), "Not quite JSON: line 3, column 3");
  assert.match(findJsonFault('{"instances": [1'), /^Not quite JSON: (line 1, column 17|.*JSON.*)$/);
});

test("a place that only stands in the text is not taken for the fault's", () => {
  for (const text of ["{position 5}", "[at position 5]", "{JSON at position 3 (line 1 column 4)}"]) {
    assert.match(findJsonFault(text), /^Not quite JSON: (line 1, column 2|(?!line).*)$/s, text);
  }
});

test("of a comma that is missing anywhere in a long text the very place is told", () => {
  const lines = Array.from({ length: 50 }, (_, number) => `  "field-${number}": ${number},`);
  for (let number = 0; number < lines.length; number += 1) {
    const broken = ["{", ...lines.with(number, `  "field": 1`), '  "last": 1', "}"].join("\n");
    assert.equal(findJsonFault(broken), `Not quite JSON: line ${number + 3}, column 3`);
  }
});

test("JSON is written on several lines, and anything else stays as it is", () => {
  assert.equal(writeJson('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  for (const text of ["", "no JSON", '{"a":', "<b>"]) assert.equal(writeJson(text), text);
});

test("values that are null are not said, and those that say nothing else are", () => {
  assert.deepEqual(withoutNull({ a: null, b: undefined, c: 0, d: "", e: false }), { c: 0, d: "", e: false });
});

for (const [object, command] of [
  ["Service vision/mnist", "kubectl -n vision edit service mnist"],
  ["Ingress a/b", "kubectl -n a edit ingress b"],
  ["Mapping vision/mnist", "kubectl -n vision edit mappings.getambassador.io mnist"],
  ["Namespace team", "kubectl edit namespace team"],
  ["", ""],
  [null, ""],
  ["file", ""],
]) {
  test(`${object} is edited by "${command}"`, () => assert.equal(editCommand(object), command));
}

const STEPS = ["accepted", "programmed", "endpoints", "answering"];

function tell(done, isFailure) {
  const steps = STEPS.map((name, number) => ({ name, done: number < done, message: "" }));
  return tellSteps({ steps, is_failure: isFailure });
}

test("steps are ticked off one after the other", () => {
  assert.deepEqual(tell(2, false), [
    ["✓ accepted by the gateway", "kfa-good"],
    ["✓ programmed into Envoy", "kfa-good"],
    ["… endpoints ready", "kfa-soft"],
    ["… answering", "kfa-soft"],
  ]);
  assert.deepEqual(tell(4, false).map(([, tone]) => tone), Array(4).fill("kfa-good"));
});

test("of what has failed the first step that is missing is marked, and no other", () => {
  assert.deepEqual(tell(1, true).map(([, tone]) => tone), ["kfa-good", "kfa-bad", "kfa-soft", "kfa-soft"]);
  assert.deepEqual(tell(0, true)[0], ["✗ accepted by the gateway", "kfa-bad"]);
});

test("a step that is new here has its own name, and no steps are none", () => {
  assert.deepEqual(tellSteps({ steps: [{ name: "warmed", done: true }], is_failure: false }), [["✓ warmed", "kfa-good"]]);
  assert.deepEqual(tellSteps({ steps: [], is_failure: true }), []);
});

/** A key as the page tells of it; where it is pressed either takes text or does not. */
function key(name, { inText = false, ...held } = {}) {
  return { key: name, ctrlKey: false, metaKey: false, shiftKey: false, target: { matches: () => inText }, ...held };
}

test("plain keys are ours, wherever they are pressed", () => {
  for (const name of ["a", "j", "/", "Enter", "Escape", "ArrowDown", "d"]) {
    assert.equal(isOwnKey(key(name)), true, name);
    assert.equal(isOwnKey(key(name, { inText: true, shiftKey: true })), true, name);
  }
});

test("chords outside of a text are the notebook's", () => {
  for (const name of ["s", "a", "c", "Enter", "ArrowDown"]) {
    assert.equal(isOwnKey(key(name, { ctrlKey: true })), false, name);
    assert.equal(isOwnKey(key(name, { metaKey: true })), false, name);
  }
});

test("in a text the chords a person edits with are ours, and saving stays the notebook's", () => {
  for (const name of ["a", "c", "v", "x", "y", "z", "Enter", "ArrowLeft", "Backspace"]) {
    assert.equal(isOwnKey(key(name, { inText: true, ctrlKey: true })), true, name);
    assert.equal(isOwnKey(key(name, { inText: true, metaKey: true })), true, name);
  }
  for (const name of ["s", "b", "f", "1"]) assert.equal(isOwnKey(key(name, { inText: true, ctrlKey: true })), false, name);
});

test("with shift only doing again is ours: Ctrl+Shift+C opens the notebook's own commands", () => {
  assert.equal(isOwnKey(key("Z", { inText: true, metaKey: true, shiftKey: true })), true);
  for (const name of ["C", "V", "A"]) assert.equal(isOwnKey(key(name, { inText: true, ctrlKey: true, shiftKey: true })), false, name);
});

test("what there is of each kind is counted, and what there is none of is left out", () => {
  const problems = [makeProblem("a", { conflict: true }), makeProblem("b"), makeProblem("c", { severity: "notice" })];
  const rows = [
    makeRow(1, { state: "conflict", problems: [0] }),
    makeRow(2, { state: "rejected", problems: [1] }),
    makeRow(5, { state: "pending" }),
    makeRow(6, { state: "pending" }),
    makeRow(7, { splits: [makeSplit("a/b", { share: 50 }), makeSplit("a/c", { share: 50 })] }),
  ];
  assert.deepEqual(
    countKinds(rows, problems).map(([word, words]) => [word, words]),
    [
      ["is:problem", "2 problems"],
      ["is:conflict", "1 conflict"],
      ["state:rejected", "1 left out"],
      ["state:pending", "2 pending"],
      ["is:split", "1 split"],
    ],
  );
  assert.deepEqual(countKinds([makeRow(1)], []), []);
});

test("each count's filter finds as many rows as it says", () => {
  const { routes, problems } = makeTableEvent(5000);
  const index = indexRows(routes, problems);
  const counts = countKinds(routes, problems);
  assert.deepEqual(counts.map(([word]) => word), ["is:problem", "is:conflict", "state:rejected", "state:pending", "is:split"]);
  for (const [word, , , number] of counts) assert.equal(selectRows(index, parseFilter(word).terms, {}).length, number, word);
});

test("a row's cells tell a route, its figures and where it is written", () => {
  const row = makeRow(1, { path: "/m/*", splits: [makeSplit("team/m", { rewrite: "/v1/" })] });
  assert.deepEqual(writeCells(row, { "team/m": [5, 0.5, 30, 0] }), ["✓", "POST", "/m/*", "m.team:8501", "/v1/", "5.0", "50%", "30 ms", "team/m"]);
  assert.deepEqual(writeCells(row, {}).slice(5, 8), ["", "", ""]);
});

test("a row that is left out tells its object instead", () => {
  const left = makeSplit("team/m", { mapping: "", service: "", rewrite: "" });
  const row = makeRow(1, { path: "", method: "", state: "rejected", splits: [left] });
  assert.deepEqual(writeCells(row, {}), ["✗", "", "Service team/m", "", "", "", "", "", "Service team/m"]);
  assert.deepEqual(writeCells({ ...row, splits: [], state: "new" }, {}), ["?", ...Array(8).fill("")]);
});

test("every state has a sign of its own and a word", () => {
  const signs = Object.values(STATE_WORDS).map(([sign]) => sign);
  assert.equal(new Set(signs).size, 5);
});

test("who shares a route is told with the shares, and who gets copies apart", () => {
  const [stable, canary] = [makeSplit("team/m", { share: 90 }), makeSplit("team/c", { share: 10 })];
  const shadow = makeSplit("team/n", { share: 20, copy: true });
  assert.equal(writeServices({ splits: [stable] }), "m.team:8501");
  assert.equal(writeServices({ splits: [stable, canary, shadow] }), "90% m.team:8501 + 10% c.team:8501, copies to n.team:8501");
  assert.equal(writeServices({ splits: [] }), "");
});
