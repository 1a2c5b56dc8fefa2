// JupyterLab's panel: which gateway, and its route browser. It asks the Jupyter server and needs no kernel.

import { mount } from "./browser.js";
import { button, h, labelled, liveRegion, put, setText } from "./dom.js";
import { openTransport, readAnswer, tellFault } from "./http_transport.js";

const LOOK_EVERY = 10_000;
const ENDED = "This gateway does not run any more.";
// Pixels of a table, and of all that stands around it.
const LOWEST = 300;
const BESIDE = 260;
const REMEMBERED = "kfambassador:gateway";

/**
 * Show the panel.
 * @param {HTMLElement} root Where.
 * @param {{send: function(string, Object=): Promise<Response>, compact: boolean, openWide: (function()|null)}} host
 *   send asks our part of the Jupyter server; openWide shows the same in a tab, where there are tabs.
 * @returns {{look: function(boolean), destroy: function()}} look tells whether somebody can see it.
 */
export function mountPanel(root, host) {
  const state = { gateways: null, chosen: recall(), shown: null, isSeen: false, timer: null, isEnded: false };
  const parts = buildBar(host, { choose, start });
  const body = h("div", { class: "kfa-panel-body" });
  root.classList.add("kfa-panel");
  put(root, parts.element, body);

  async function refresh() {
    clearTimeout(state.timer);
    try {
      const found = await readAnswer(await host.send("gateways"));
      if (state.isEnded) return;
      parts.tell("");
      update(found);
    } catch (error) {
      // What is shown stays: its own connection says that it is lost, and comes back by itself.
      if (!state.isEnded) parts.tell(state.shown ? "" : tellFault(error).words);
    }
    if (state.isSeen && !state.isEnded) state.timer = setTimeout(refresh, LOOK_EVERY);
  }

  function update(found) {
    state.gateways = found.gateways;
    if (!found.gateways.some((gateway) => gateway.id === state.chosen)) {
      // One that has ended is left as it was, until there is another to show.
      if (state.shown === null || found.gateways.length > 0) state.chosen = found.gateways[0]?.id ?? null;
    }
    show();
    parts.update(found, state);
    hold();
  }

  /** Ask for news only of what is there, and only while somebody looks. */
  function hold() {
    const isThere = state.gateways?.some((gateway) => gateway.id === state.shown?.id) ?? true;
    state.shown?.transport.hold(!state.isSeen || !isThere, isThere ? "" : ENDED);
  }

  function choose(id) {
    state.chosen = id;
    remember(id);
    show();
  }

  function show() {
    if (state.chosen === null) hide();
    if (state.chosen === (state.shown?.id ?? null)) return;
    hide();
    const transport = openTransport(host.send, state.chosen);
    const place = h("div");
    put(body, place);
    const height = Math.max(LOWEST, root.clientHeight - BESIDE);
    const browser = mount(place, transport, { compact: host.compact, height });
    transport.hold(!state.isSeen);
    state.shown = { id: state.chosen, transport, browser };
  }

  function hide() {
    state.shown?.browser.destroy();
    state.shown?.transport.close();
    state.shown = null;
    put(body);
  }

  async function start() {
    parts.tell("Starting the gateway of this machine …", { isBusy: true });
    try {
      const started = await readAnswer(await host.send("gateways", { method: "POST" }));
      choose(started.id);
      await refresh();
    } catch (error) {
      parts.tell(tellFault(error).words);
    }
  }

  return {
    look(isSeen) {
      if (isSeen === state.isSeen) return;
      state.isSeen = isSeen;
      hold();
      if (isSeen) refresh();
      else clearTimeout(state.timer);
    },
    destroy() {
      state.isEnded = true;
      clearTimeout(state.timer);
      hide();
      put(root);
    },
  };
}

function buildBar(host, { choose, start }) {
  const select = h("select", { class: "kfa-input kfa-panel-gateway", onChange: () => choose(select.value) });
  const which = labelled("Gateway", select);
  const wide = host.openWide && button("Open as a tab", host.openWide, { class: "kfa-button kfa-panel-wide" });
  const startButton = button("Start a gateway on this machine", start, { class: "kfa-button kfa-panel-start" });
  const said = liveRegion({ class: "kfa-panel-said" });
  const none = h(
    "div",
    { class: "kfa-panel-none" },
    h("p", {}, "No gateway runs, and no cluster is configured."),
    h("p", {}, "In a notebook, this starts one or connects to your cluster:"),
    h("pre", { tabindex: 0 }, "import kfambassador\ngateway = kfambassador.connect()"),
    h("p", {}, "Gateways that notebooks connect to are listed here by themselves."),
  );
  which.hidden = none.hidden = startButton.hidden = true;
  const buttons = h("div", { class: "kfa-panel-buttons" }, wide, startButton);
  const element = h("div", { class: "kfa-browser kfa-panel-bar", "data-lm-suppress-shortcuts": "true" });
  put(element, which, none, said, buttons);
  return {
    element,
    tell(words, { isBusy = false } = {}) {
      setText(said, words);
      startButton.disabled = isBusy;
    },
    update({ gateways, can_start: canStart }, { chosen, shown }) {
      const options = gateways.map((gateway) => [gateway.id, gateway.url ? `${gateway.label}: ${gateway.url}` : gateway.label]);
      if (JSON.stringify(options) !== select.dataset.options) {
        // Not redrawn under somebody's hand as long as it says the same.
        select.dataset.options = JSON.stringify(options);
        put(select, ...options.map(([id, words]) => h("option", { value: id }, words)));
      }
      select.value = chosen ?? "";
      which.hidden = gateways.length === 0;
      // What is shown of one that has ended says so itself.
      none.hidden = gateways.length > 0 || shown !== null;
      startButton.hidden = !canStart;
    },
  };
}

/** Which gateway was chosen last in this browser; pages without storage know of none. */
function recall() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function remember(id) {
  try {
    localStorage.setItem(REMEMBERED, id);
  } catch {
    // It is asked again the next time.
  }
}
