// The route browser as a widget of a notebook: questions go to the kernel, and what is live comes from it.

import { mount } from "./browser.js";

const PATIENCE = 700;

/** What a widget's model gives and takes, as a transport. */
export function makeTransport(model) {
  const waiting = new Map();
  const listeners = new Set();
  const newest = new Map();
  let number = 0;

  function tell(event) {
    newest.set(event.kind, event);
    listeners.forEach((listener) => listener(event));
  }

  async function readTable() {
    const packed = model.get("table");
    if (packed?.byteLength) tell(await unpack(packed));
  }

  function receive(message) {
    if (message.type === "event") tell(message.event);
    if (message.type !== "answer") return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    sayBusy();
    if (message.error) asked?.reject(Object.assign(new Error(message.error.words), message.error));
    else asked?.resolve(message.answer);
  }

  function sayBusy() {
    const late = [...waiting.values()].filter((asked) => asked.isLate).length;
    if (late !== (newest.get("busy")?.waiting ?? 0)) tell({ kind: "busy", waiting: late });
  }

  function ask(kind, args) {
    number += 1;
    // Several views of one widget hear the same answers.
    const id = `${Date.now()}-${Math.random()}-${number}`;
    return new Promise((resolve, reject) => {
      const asked = { resolve, reject, isLate: false };
      waiting.set(id, asked);
      setTimeout(() => {
        asked.isLate = true;
        if (waiting.has(id)) sayBusy();
      }, PATIENCE);
      model.send({ type: "ask", id, kind, args });
    });
  }

  function subscribe(listener) {
    listeners.add(listener);
    newest.forEach((event) => listener(event));
    return () => listeners.delete(listener);
  }

  model.on("change:table", readTable);
  model.on("msg:custom", receive);
  readTable();
  return {
    ask,
    subscribe,
    close() {
      model.off("change:table", readTable);
      model.off("msg:custom", receive);
    },
  };
}

/** Read an event that was written small. */
async function unpack(packed) {
  const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(bytes).text());
}

const VIEWS = new WeakMap();

/** Show a view; what is given back takes it away. */
function render({ model, el }) {
  const transport = makeTransport(model);
  const shown = mount(el, transport, model.get("options"));
  VIEWS.set(model, (VIEWS.get(model) ?? 0) + 1);
  model.send({ type: "shown" });
  return () => {
    shown.destroy();
    transport.close();
    VIEWS.set(model, VIEWS.get(model) - 1);
    if (VIEWS.get(model) === 0) model.send({ type: "gone" });
  };
}

export default { render };
