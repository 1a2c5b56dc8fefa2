// The route browser's questions and news by HTTP: to a Jupyter server, which answers while every kernel is busy.

import { keepNews } from "./news.js";

const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 10_000;

/**
 * Open a transport to one gateway.
 * @param {function(string, Object=): Promise<Response>} send Sends a request to our part of the Jupyter server.
 * @param {string} gateway The gateway's id.
 * @param {{sleep?: function(number, AbortSignal): Promise<void>}} options
 */
export function openTransport(send, gateway, { sleep = sleepFor } = {}) {
  const { tell, subscribe, listeners } = keepNews();
  const asking = new Set();
  const place = `gateways/${encodeURIComponent(gateway)}`;
  let after = "";
  let isHeld = false;
  let isLost = false;
  let following = null;

  function lose(words) {
    // From the beginning, so that there is an answer as soon as it is back.
    [isLost, after] = [true, ""];
    tell({ kind: "connection", state: "lost", words });
  }

  /** Ask for news, again and again, until nobody listens. */
  async function follow(signal) {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const news = await readAnswer(await send(`${place}/events?after=${encodeURIComponent(after)}`, { signal }));
        if (signal.aborted) return;
        if (isLost && !news.events.some((event) => event.kind === "connection")) {
          tell({ kind: "connection", state: "live", words: "" });
        }
        [isLost, failures] = [false, 0];
        after = news.after;
        news.events.forEach(tell);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        lose(tellFault(error).words);
        await sleep(Math.min(SHORTEST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE), signal);
      }
    }
  }

  function decide() {
    const isWanted = listeners.size > 0 && !isHeld;
    if (isWanted && !following) {
      following = new AbortController();
      follow(following.signal);
    } else if (!isWanted && following) {
      following.abort();
      following = null;
    }
  }

  async function ask(kind, args = {}) {
    const aborter = new AbortController();
    asking.add(aborter);
    try {
      const body = JSON.stringify({ kind, args });
      return await readAnswer(await send(`${place}/ask`, { method: "POST", body, signal: aborter.signal }));
    } catch (error) {
      throw tellFault(error);
    } finally {
      asking.delete(aborter);
    }
  }

  return {
    ask,
    subscribe(listener) {
      const end = subscribe(listener);
      decide();
      return () => {
        end();
        decide();
      };
    },
    /** Ask for no news while nobody looks, or there is nobody to ask and words that say why; what is shown stays. */
    hold(held, words = "") {
      isHeld = held;
      decide();
      if (words && !isLost) lose(words);
    },
    close() {
      listeners.clear();
      decide();
      asking.forEach((aborter) => aborter.abort());
    },
  };
}

/**
 * Read what the server says. A page instead of data is a proxy's that asks who one is.
 * @returns {Promise<Object>} Rejects with words where it is an error.
 */
export async function readAnswer(response) {
  const said = await response.json().catch(() => null);
  if (response.ok && said !== null) return said;
  if (typeof said?.words === "string") throw Object.assign(new Error(said.words), { title: said.title, words: said.words });
  const words = WORDS[response.ok ? 401 : response.status] ?? `The Jupyter server answers with status ${response.status}.`;
  throw Object.assign(new Error(words), { title: "No answer", words });
}

const WORDS = {
  401: "The Jupyter server asks who you are. Load this page again to sign in.",
  403: "The Jupyter server does not let you in. Load this page again to sign in.",
  404: "The Jupyter server has no such part. Enable it: jupyter server extension enable kfambassador.notebook.server",
  502: "The Jupyter server does not answer. It may be starting.",
  503: "The Jupyter server does not answer. It may be starting.",
  504: "The Jupyter server does not answer. It may be starting.",
};

/** Give an error words, whatever it is. */
export function tellFault(error) {
  if (error.words) return error;
  const words = "The Jupyter server does not answer. It is asked again until it does.";
  return Object.assign(new Error(words, { cause: error }), { title: "No answer", words });
}

/** Wait so many milliseconds, or until it is given up. */
function sleepFor(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
