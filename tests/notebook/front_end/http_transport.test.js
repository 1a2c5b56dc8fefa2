// Questions and news by HTTP: what is asked for, what is told, and what happens when the server is away.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openTransport, readAnswer } from "../../../kfambassador/notebook/front_end/http_transport.js";

const TABLE = { kind: "table", generation: 1, routes: [], problems: [] };

/** A server's part of it: answers are given by hand, one request after the other. */
function makeServer() {
  const requests = [];
  const arrivals = [];
  function send(path, init = {}) {
    return new Promise((resolve, reject) => {
      const request = {
        path,
        init,
        answer: (document, status = 200) => resolve(new Response(JSON.stringify(document), { status })),
        fail: () => reject(new TypeError("fetch failed")),
      };
      init.signal?.addEventListener("abort", () => reject(init.signal.reason));
      requests.push(request);
      arrivals.shift()?.(request);
    });
  }
  let taken = 0;
  async function next() {
    const request = requests[taken] ?? (await new Promise((resolve) => arrivals.push(resolve)));
    taken += 1;
    return request;
  }
  return { send, next, requests };
}

/** Sleeping that is over at once, and notes for how long it would have been. */
function makeSleep() {
  const slept = [];
  return { slept, sleep: async (milliseconds) => void slept.push(milliseconds) };
}

async function settle() {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("news are asked for after the place that came with the last, and told to everybody", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  const heard = [];
  transport.subscribe((event) => heard.push(event));
  const first = await server.next();
  assert.equal(first.path, "gateways/local-1/events?after=");
  first.answer({ after: "run.2", events: [TABLE] });
  const second = await server.next();
  assert.equal(second.path, "gateways/local-1/events?after=run.2");
  assert.deepEqual(heard, [TABLE]);
  const late = [];
  transport.subscribe((event) => late.push(event));
  assert.deepEqual(late, [TABLE]);
  transport.close();
});

test("ids and places are written into the address as text", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "a/../b?c");
  transport.subscribe(() => {});
  const first = await server.next();
  assert.equal(first.path, "gateways/a%2F..%2Fb%3Fc/events?after=");
  transport.close();
});

test("nobody asks when nobody listens, and one that waits is given up", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  await settle();
  assert.equal(server.requests.length, 0);
  const heard = [];
  const end = transport.subscribe((event) => heard.push(event));
  const asked = await server.next();
  end();
  assert.equal(asked.init.signal.aborted, true);
  await settle();
  assert.equal(server.requests.length, 1);
  assert.deepEqual(heard, []);
});

test("what is hidden asks for nothing, and goes on from where it was", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  const heard = [];
  transport.subscribe((event) => heard.push(event));
  (await server.next()).answer({ after: "run.2", events: [TABLE] });
  const waiting = await server.next();
  transport.hold(true);
  assert.equal(waiting.init.signal.aborted, true);
  await settle();
  assert.equal(server.requests.length, 2);
  transport.hold(false);
  assert.equal((await server.next()).path, "gateways/local-1/events?after=run.2");
  assert.deepEqual(heard, [TABLE]);
  transport.close();
});

test("a server that is away is asked ever more rarely, and it is told when it is back", async () => {
  const server = makeServer();
  const { slept, sleep } = makeSleep();
  const transport = openTransport(server.send, "local-1", { sleep });
  const heard = [];
  transport.subscribe((event) => heard.push(event));
  for (let turn = 0; turn < 6; turn += 1) (await server.next()).fail();
  (await server.next()).answer({ after: "run.1", events: [TABLE] });
  await server.next();
  assert.deepEqual(slept, [1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.deepEqual(heard.slice(0, 6).map((event) => event.state), Array(6).fill("lost"));
  assert.deepEqual(heard.slice(6), [{ kind: "connection", state: "live", words: "" }, TABLE]);
  transport.close();
});

test("a connection that the server itself tells of is not told over", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1", makeSleep());
  const heard = [];
  transport.subscribe((event) => heard.push(event));
  (await server.next()).fail();
  (await server.next()).answer({ after: "run.1", events: [{ kind: "connection", state: "lost", words: "gone" }] });
  await server.next();
  assert.deepEqual(heard.map((event) => event.words).slice(1), ["gone"]);
  transport.close();
});

test("why there is nobody to ask is told once, and that there is somebody again", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  const heard = [];
  transport.subscribe((event) => heard.push(event));
  (await server.next()).answer({ after: "run.2", events: [TABLE] });
  await server.next();
  transport.hold(true, "it does not run");
  transport.hold(true, "it does not run");
  assert.deepEqual(heard, [TABLE, { kind: "connection", state: "lost", words: "it does not run" }]);
  transport.hold(false);
  const again = await server.next();
  assert.equal(again.path, "gateways/local-1/events?after=");
  again.answer({ after: "run.2", events: [TABLE] });
  await server.next();
  assert.deepEqual(heard.slice(2), [{ kind: "connection", state: "live", words: "" }, TABLE]);
  transport.close();
});

test("a question is sent with its arguments, and answered", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  const answered = transport.ask("curl", { method: "GET", path: "/m/" });
  const asked = await server.next();
  assert.equal(asked.path, "gateways/local-1/ask");
  assert.equal(asked.init.method, "POST");
  assert.deepEqual(JSON.parse(asked.init.body), { kind: "curl", args: { method: "GET", path: "/m/" } });
  asked.answer({ curl: "curl …" });
  assert.deepEqual(await answered, { curl: "curl …" });
});

test("why there is no answer is told in words", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  const refused = transport.ask("status", {});
  (await server.next()).answer({ title: "NotFound", words: "nobody has published it" }, 502);
  await assert.rejects(refused, { title: "NotFound", words: "nobody has published it" });
  const away = transport.ask("status", {});
  (await server.next()).fail();
  await assert.rejects(away, { title: "No answer", words: /does not answer/ });
});

test("questions are given up when it is closed", async () => {
  const server = makeServer();
  const transport = openTransport(server.send, "local-1");
  const asked = transport.ask("test", {});
  transport.close();
  await assert.rejects(asked, { title: "No answer" });
});

for (const [status, words] of [
  [403, /Load this page again/],
  [404, /jupyter server extension enable kfambassador\.notebook\.server/],
  [503, /may be starting/],
  [418, /status 418/],
]) {
  test(`a status ${status} without words of ours has some`, async () => {
    await assert.rejects(readAnswer(new Response("<html>proxy</html>", { status })), { words });
  });
}

test("a page instead of data asks to sign in", async () => {
  await assert.rejects(readAnswer(new Response("<html>sign in</html>", { status: 200 })), { words: /to sign in/ });
});
