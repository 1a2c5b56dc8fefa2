// A widget's model as a transport: questions, news, and what is said when no kernel answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { makeTransport } from "../../../kfambassador/notebook/front_end/widget.js";

const TABLE = { kind: "table", generation: 1, served: 1, routes: [], problems: [], gateway: {} };
const LIVE = { kind: "connection", state: "live", words: "" };

/** A widget's model as its page has it: state, and messages both ways. */
function makeModel(table = null) {
  const state = { table: table && pack(table), options: {} };
  const listeners = new Map();
  const sent = [];
  return {
    sent,
    get: (name) => state[name],
    on: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    off: (name, listener) => listeners.set(name, listeners.get(name).filter((each) => each !== listener)),
    send: (message) => sent.push(message),
    emit: (name, message) => (listeners.get(name) ?? []).forEach((listener) => listener(message)),
    change(event) {
      state.table = pack(event);
      this.emit("change:table");
    },
    listening: () => [...listeners.values()].flat().length,
  };
}

function pack(event) {
  const bytes = deflateSync(JSON.stringify(event));
  // Widgets' bytes arrive as a view of what was received.
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What a listener hears, and waiting for the next of it. */
function makeListener() {
  const heard = [];
  const waiting = [];
  function listener(event) {
    heard.push(event);
    waiting.splice(0).forEach((look) => look());
  }
  async function until(holds) {
    while (!heard.some(holds)) await new Promise((resolve) => waiting.push(resolve));
    return heard.find(holds);
  }
  return { heard, listener, until };
}

test("the table that came with the widget is told, and each that comes later", async () => {
  const model = makeModel(TABLE);
  const { heard, listener, until } = makeListener();
  const transport = makeTransport(model);
  transport.subscribe(listener);
  await until((event) => event.generation === 1);
  model.change({ ...TABLE, generation: 2 });
  await until((event) => event.generation === 2);
  const late = makeListener();
  transport.subscribe(late.listener);
  assert.deepEqual(late.heard, [{ ...TABLE, generation: 2 }]);
  assert.equal(heard.length, 2);
});

test("of tables that come quickly the newest is the last that is told", async () => {
  const model = makeModel();
  const { heard, listener, until } = makeListener();
  makeTransport(model).subscribe(listener);
  const many = Array.from({ length: 20_000 }, (_, number) => ({ id: `${number}-${Math.random()}` }));
  model.change({ ...TABLE, generation: 2, routes: many });
  model.change({ ...TABLE, generation: 3 });
  await until((event) => event.generation === 3);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(heard.at(-1).generation, 3);
});

test("news are told to everybody who listens, and the newest to whoever comes later", () => {
  const model = makeModel();
  const transport = makeTransport(model);
  const [first, second] = [makeListener(), makeListener()];
  const end = transport.subscribe(first.listener);
  model.emit("msg:custom", { type: "event", event: LIVE });
  end();
  model.emit("msg:custom", { type: "event", event: { ...LIVE, state: "lost" } });
  transport.subscribe(second.listener);
  assert.deepEqual(first.heard, [LIVE]);
  assert.deepEqual(second.heard, [{ ...LIVE, state: "lost" }]);
});

test("an answer goes to its question and to no other view's", async () => {
  const model = makeModel();
  const [here, there] = [makeTransport(model), makeTransport(model)];
  const asked = [here.ask("curl", { path: "/a" }), there.ask("curl", { path: "/b" })];
  assert.deepEqual(
    model.sent.map(({ type, kind, args }) => [type, kind, args.path]),
    [
      ["ask", "curl", "/a"],
      ["ask", "curl", "/b"],
    ],
  );
  const [first, second] = model.sent.map((question) => question.id);
  assert.notEqual(first, second);
  model.emit("msg:custom", { type: "answer", id: second, answer: { curl: "b" } });
  model.emit("msg:custom", { type: "answer", id: first, answer: { curl: "a" } });
  model.emit("msg:custom", { type: "answer", id: "nobody's", answer: {} });
  assert.deepEqual(await Promise.all(asked), [{ curl: "a" }, { curl: "b" }]);
});

test("a question that is refused is told in words", async () => {
  const model = makeModel();
  const asked = makeTransport(model).ask("test", {});
  model.emit("msg:custom", { type: "answer", id: model.sent[0].id, error: { title: "NoGateway", words: "it is away" } });
  await assert.rejects(asked, { title: "NoGateway", words: "it is away", message: "it is away" });
});

test("a kernel that does not answer is said to be busy until it does", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const model = makeModel();
  const { heard, listener } = makeListener();
  const transport = makeTransport(model);
  transport.subscribe(listener);
  const asked = [transport.ask("hello", {}), transport.ask("hello", {})];
  context.mock.timers.tick(699);
  assert.deepEqual(heard, []);
  context.mock.timers.tick(1);
  assert.deepEqual(heard.at(-1), { kind: "busy", waiting: 2, heard: false });
  model.sent.forEach(({ id }) => model.emit("msg:custom", { type: "answer", id, answer: {} }));
  await Promise.all(asked);
  assert.deepEqual(heard.at(-1), { kind: "busy", waiting: 0, heard: true });
});

test("an answer in time says nothing of a busy kernel", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const model = makeModel();
  const { heard, listener } = makeListener();
  const transport = makeTransport(model);
  transport.subscribe(listener);
  const asked = transport.ask("hello", {});
  model.emit("msg:custom", { type: "answer", id: model.sent[0].id, answer: {} });
  await asked;
  context.mock.timers.tick(10_000);
  assert.deepEqual(heard, []);
});

test("a kernel that went away is said to be gone, and asked whether it came back", () => {
  const model = makeModel();
  const { heard, listener } = makeListener();
  makeTransport(model).subscribe(listener);
  model.emit("msg:custom", { type: "event", event: LIVE });
  model.emit("comm_live_update");
  assert.equal(heard.at(-1).state, "lost");
  assert.match(heard.at(-1).words, /Run the cell again/);
  assert.deepEqual(model.sent.at(-1), { type: "shown" });
  model.emit("msg:custom", { type: "event", event: LIVE });
  assert.deepEqual(heard.at(-1), LIVE);
});

test("what is asked of a kernel that is gone is refused at once, and nothing else fails", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const model = makeModel();
  const { heard, listener } = makeListener();
  const transport = makeTransport(model);
  transport.subscribe(listener);
  model.send = () => {
    throw new Error("Cannot send");
  };
  model.emit("comm_live_update");
  assert.equal(heard.at(-1).state, "lost");
  await assert.rejects(transport.ask("hello", {}), { title: "No kernel", words: /Run the cell again/ });
  context.mock.timers.tick(10_000);
  assert.equal(heard.length, 1);
});

test("whoever is asked says that it still shows the table, and no more once it has gone", () => {
  const model = makeModel();
  const transport = makeTransport(model);
  model.emit("msg:custom", { type: "anyone" });
  assert.deepEqual(model.sent, [{ type: "shown" }]);
  transport.close();
  model.emit("msg:custom", { type: "anyone" });
  assert.equal(model.sent.length, 1);
  assert.equal(model.listening(), 0);
});
