// What is measured in the page: the time of the page's own thread, from an event to the frame that shows what it did.

const HEADINGS = ["State", "Method", "Path", "Service", "Rewrite", "Req/s", "Errors", "p99", "Mapping"];
const channel = new MessageChannel();
let taken = [];
let onPosted = null;
let began = null;
let onscreen = [];
let shown = null;
channel.port1.onmessage = () => onPosted?.();

/** Note what an event took: its script until it was handled, and drawing, which ends when the frame was painted. */
function note(begin, handled) {
  const draw = () => {
    const drawing = performance.now();
    const done = (handled ?? drawing) - begin;
    // A message that is posted before a frame is drawn comes after it.
    onPosted = () => {
      const painted = performance.now();
      onPosted = null;
      taken.push({ script: done, drawing: painted - drawing, whole: painted - begin });
    };
    channel.port2.postMessage(null);
  };
  requestAnimationFrame(draw);
}

// The first listeners of all, and the last.
window.addEventListener("keydown", () => (began = performance.now()), true);
window.addEventListener("input", () => note(began, performance.now()));
window.addEventListener("click", () => (began = performance.now()), true);
window.addEventListener("click", () => note(began, performance.now()));
window.addEventListener("scroll", () => note(performance.now(), null), true);
// From the key to the screen, as the browser itself counts it: in steps of 8 ms, and from 16 ms on.
new PerformanceObserver((list) => {
  onscreen.push(...list.getEntries().filter((entry) => entry.name === "keydown").map((entry) => entry.duration));
}).observe({ type: "event", durationThreshold: 16 });

/** Wait until there are so many, and give them. */
async function collect(count) {
  while (taken.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  return collectAll();
}

function collectAll() {
  const all = taken;
  taken = [];
  return all;
}

function collectOnscreen() {
  const all = onscreen;
  onscreen = [];
  return all;
}

/** Call what is shown, which changes the page now or a little later, and note what it took. */
function act(call, argument) {
  const value = call === "arrive" ? Uint8Array.from(atob(argument), (letter) => letter.charCodeAt(0)) : argument;
  const watching = new MutationObserver(() => {
    watching.disconnect();
    note(begin, performance.now());
  });
  watching.observe(document.body, { childList: true, subtree: true });
  const begin = performance.now();
  shown[call](value);
}

/** Show one of the ways. */
async function show(way, text) {
  shown = await WAYS[way](document.querySelector("#root"), text);
}

async function importText(text) {
  return import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
}

/** The widget as it is, and a model that holds what a kernel has sent. */
async function showOurs(root, text) {
  const { default: widget } = await importText(text);
  const listeners = {};
  const held = { options: { filter: "", height: 420 } };
  const model = {
    get: (name) => held[name],
    on: (name, listener) => (listeners[name] = listener),
    off: (name) => delete listeners[name],
    send: () => {},
  };
  widget.render({ model, el: root });
  return {
    arrive(bytes) {
      held.table = new DataView(bytes.buffer);
      listeners["change:table"]();
    },
    count: (event) => listeners["msg:custom"]({ type: "event", event }),
  };
}

/** The table that a page has without more ado: every row is in it, and a filter hides those it does not leave. */
function showPlain(root) {
  const input = document.createElement("input");
  const table = document.createElement("table");
  const body = document.createElement("tbody");
  const heads = HEADINGS.map((heading) => Object.assign(document.createElement("th"), { textContent: heading }));
  const frame = document.createElement("div");
  frame.className = "frame";
  const head = table.createTHead();
  head.insertRow().append(...heads);
  table.append(body);
  frame.append(table);
  root.append(input, frame);
  let lines = [];
  let direction = 1;
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { line, text } of lines) line.hidden = !words.every((word) => text.includes(word));
  };
  input.addEventListener("input", filter);
  heads.forEach((heading, number) =>
    heading.addEventListener("click", () => {
      direction = -direction;
      const key = ({ line }) => line.cells[number].textContent;
      const keyed = lines.map((each) => [key(each), each.line]);
      keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * direction);
      body.append(...keyed.map(([, line]) => line));
    }),
  );
  return {
    async arrive(bytes) {
      const read = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      const { routes } = JSON.parse(await new Response(read).text());
      lines = routes.map((row) => {
        const line = document.createElement("tr");
        for (const text of writePlain(row)) line.insertCell().textContent = text;
        return { line, row, text: line.textContent.toLowerCase() };
      });
      filter();
      body.replaceChildren(...lines.map(({ line }) => line));
    },
    count({ figures }) {
      for (const { line, row } of lines) {
        const known = figures[row.splits[0]?.mapping];
        const texts = known ? [known[0].toFixed(1), `${(known[1] * 100).toFixed(1)}%`, `${known[2].toFixed(0)} ms`] : ["", "", ""];
        texts.forEach((text, number) => (line.cells[5 + number].textContent = text));
      }
    },
  };
}

function writePlain(row) {
  const { service, rewrite, mapping } = row.splits[0];
  return [row.state, row.method, `${row.path} ${row.conditions}`, service, rewrite, "", "", "", mapping];
}

/** What a widget of HTML shows: markup that comes from the kernel. */
function showMarkup(root) {
  const frame = document.createElement("div");
  frame.className = "frame";
  root.append(frame);
  return { replace: (markup) => (frame.innerHTML = markup) };
}

const WAYS = { ours: showOurs, plain: showPlain, markup: showMarkup };

window.bench = { act, collect, collectAll, collectOnscreen, show };
