// The route browser as a widget of a notebook: questions go to the kernel, and what is live comes from it.

import { mount } from "./browser.js";
import { keepNews } from "./news.js";

const PATIENCE = 700;
const GONE = "The kernel this table came from is gone. Run the cell again.";

/** What a widget's model gives and takes, as a transport. */
export function makeTransport(model) {
  const waiting = new Map();
  const { tell, subscribe, newest } = keepNews();
  let number = 0;
  let reads = 0;
  let isHeard = false;

  async function readTable() {
    const packed = model.get("table");
    if (!packed?.byteLength) return;
    reads += 1;
    const read = reads;
    const table = await unpack(packed);
    // One that came later may be read sooner.
    if (read === reads) tell(table);
  }

  function receive(message) {
    isHeard = true;
    if (message.type === "event") tell(message.event);
    if (message.type === "anyone") sendTo(model, { type: "shown" });
    if (message.type !== "answer") return;
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    sayBusy();
    if (message.error) asked?.reject(Object.assign(new Error(message.error.words), message.error));
    else asked?.resolve(message.answer);
  }

  function sayBusy() {
    const late = [...waiting.values()].filter((asked) => asked.isLate).length;
    if (late !== (newest.get("busy")?.waiting ?? 0)) tell({ kind: "busy", waiting: late, heard: isHeard });
  }

  /** The kernel went away, or came back; whoever answers "shown" says that it is there. */
  function doubt() {
    isHeard = false;
    tell({ kind: "connection", state: "lost", words: GONE });
    sendTo(model, { type: "shown" });
  }

  function ask(kind, args) {
    number += 1;
    // Several views of one widget hear the same answers.
    const id = `${Date.now()}-${Math.random()}-${number}`;
    return new Promise((resolve, reject) => {
      if (!sendTo(model, { type: "ask", id, kind, args })) {
        reject(Object.assign(new Error(GONE), { title: "No kernel", words: GONE }));
        return;
      }
      const asked = { resolve, reject, isLate: false };
      waiting.set(id, asked);
      setTimeout(() => {
        asked.isLate = true;
        if (waiting.has(id)) sayBusy();
      }, PATIENCE);
    });
  }

  model.on("change:table", readTable);
  model.on("msg:custom", receive);
  model.on("comm_live_update", doubt);
  readTable();
  return {
    ask,
    subscribe,
    close() {
      model.off("change:table", readTable);
      model.off("msg:custom", receive);
      model.off("comm_live_update", doubt);
    },
  };
}

/** Say something to the kernel, and tell whether there is one: a page outlives it, and sending fails then. */
function sendTo(model, message) {
  try {
    model.send(message);
    return true;
  } catch {
    return false;
  }
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
  sendTo(model, { type: "shown" });
  return () => {
    shown.destroy();
    transport.close();
    VIEWS.set(model, VIEWS.get(model) - 1);
    if (VIEWS.get(model) === 0) sendTo(model, { type: "gone" });
  };
}

export default { render };
