// How far publications have come: accepted, programmed, endpoints, answering.

import { drawFault, h, liveRegion, put } from "./dom.js";

const WORDS = {
  accepted: "accepted by the gateway",
  programmed: "programmed into Envoy",
  endpoints: "endpoints ready",
  answering: "answering",
};
const PAUSE = 2000;
const SHOWN_AFTER = 8000;

/**
 * What is being published in this kernel right now.
 * @param {HTMLElement} root Where.
 */
export function mountProgress(root) {
  const region = liveRegion({ class: "kfa-progress" });
  let last = [];
  let clear = null;
  put(root, region);
  function update(exposures) {
    // The same news comes again when somebody asks for it.
    if (!exposures.length && !last.length) return;
    clearTimeout(clear);
    // What has just ended stays for a while, so that its end is seen.
    const ended = last.filter((was) => !exposures.some((each) => each.name === was.name && each.namespace === was.namespace));
    const shown = exposures.length ? exposures : ended;
    put(region, shown.map(drawStatus));
    if (!exposures.length) clear = setTimeout(() => put(region), SHOWN_AFTER);
    last = exposures;
  }
  return { update, destroy: () => clearTimeout(clear) };
}

/**
 * The status of one exposure, asked for until it answers.
 * @param {HTMLElement} root Where.
 * @param {Object} transport
 * @param {{namespace: string, name: string}} exposure
 */
export function mountStatus(root, transport, { namespace, name }) {
  const region = liveRegion();
  let timer = null;
  let ended = false;
  put(root, region);
  async function ask() {
    try {
      const status = await transport.ask("status", { namespace, name });
      if (ended) return;
      put(region, drawStatus(status));
      if (status.phase !== "Answering" && !status.is_failure) timer = setTimeout(ask, PAUSE);
    } catch (error) {
      if (!ended) put(region, drawFault(error));
    }
  }
  ask();
  return {
    destroy() {
      ended = true;
      clearTimeout(timer);
    },
  };
}

/** Each step in words, and how good it is; of what has failed, the first step that is missing. */
export function tellSteps({ steps, is_failure: isFailure }) {
  const first = steps.find((step) => !step.done);
  return steps.map((step) => {
    const [sign, tone] = step.done ? ["✓", "kfa-good"] : isFailure && step === first ? ["✗", "kfa-bad"] : ["…", "kfa-soft"];
    return [`${sign} ${WORDS[step.name] ?? step.name}`, tone];
  });
}

function drawStatus(status) {
  const steps = tellSteps(status).map(([words, tone]) => h("li", { class: tone }, words));
  const why = status.phase === "Answering" ? "" : status.cause || status.message;
  return h("div", { class: "kfa-status" }, h("strong", {}, `${status.namespace}/${status.name}`), h("ol", { class: "kfa-steps" }, steps), why && h("p", { class: "kfa-message" }, why));
}
