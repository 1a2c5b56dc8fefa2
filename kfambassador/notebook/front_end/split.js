// Who gets how much of a model's requests: a bar, a slider for each canary, and the way back.

import { button, h, labelled, liveRegion, makeId, put, wordsOf } from "./dom.js";

/**
 * @param {HTMLElement} root Where.
 * @param {Object} transport
 * @param {Object|null} exposure What was published; null when it was not published from here.
 * @param {{row: Object, whyNot: string}} told
 */
export function mountSplit(root, transport, exposure, { row, whyNot }) {
  const canaries = exposure ? exposure.variants.filter((variant) => variant.name !== "stable" && variant.weight !== null) : [];
  const isShared = row.splits.length > 1;
  if (!canaries.length && !isShared) return { destroy: () => put(root) };
  const bar = h("div", { class: "kfa-shares" });
  const said = liveRegion({ class: "kfa-said-of" });
  const steps = makeSteps(change, said);
  const sliders = canaries.map((variant) => makeSlider(variant, (weight) => steps.go(variant.name, weight)));
  const turns = canaries.filter((variant) => !variant.shadow).map((variant) => makeTurns(variant, turn));
  const place = exposure && { namespace: exposure.namespace, name: exposure.name };
  let [newest, seen, isReading] = [row, row, false];

  function show(shares, weights = {}) {
    put(bar, drawShares(shares));
    // What a person holds, or has just let go, is not moved under their hand.
    const free = sliders.filter((slider) => !slider.isHeld());
    free.forEach((slider) => slider.set(weights[slider.name] ?? percentOf(shares, slider.name) ?? slider.weight()));
  }

  /** Follow what is changed elsewhere: in another page, in a cell, in a terminal. Each new table has rows of its own. */
  async function update(current) {
    newest = current;
    if (isReading) return;
    isReading = true;
    while (newest !== seen) {
      seen = newest;
      // Why there is no answer is said where the connection is.
      const told = exposure ? await transport.ask("shares", place).catch(() => null) : { shares: seen.splits.map(readShare) };
      if (told) show(told.shares, told.weights);
    }
    isReading = false;
  }

  async function change(name, weight) {
    const answer = await transport.ask("split", { ...place, variant: name, weight });
    show(answer.shares, { [name]: weight });
    return answer.before[name];
  }

  async function turn(action, name) {
    put(said, action === "promote" ? "Promoting …" : "Going back …");
    try {
      const { shares } = await transport.ask("turn", { ...place, variant: name, action });
      put(bar, drawShares(shares));
      sliders.forEach((slider) => slider.element.remove());
      put(said, action === "promote" ? `${name} is the stable server now.` : `${name} was taken back.`);
    } catch (error) {
      put(said, wordsOf(error));
    }
  }

  const own = exposure?.shares?.length ? exposure.shares : row.splits.map(readShare);
  put(bar, drawShares(own));
  const controls = exposure ? [sliders.map((each) => each.element), steps.element, turns] : h("p", { class: "kfa-soft" }, `The shares are not changed here: ${whyNot}.`);
  put(root, h("h4", { class: "kfa-heading" }, "Split"), bar, controls, said);
  return { update, destroy: () => put(root) };
}

function readShare(split) {
  return { variant: split.mapping, service: split.service, percent: split.share, copy: split.copy };
}

function percentOf(shares, name) {
  return shares.find((share) => share.variant === name)?.percent;
}

/** A bar of who answers, with the numbers in words. */
function drawShares(shares) {
  const takers = shares.filter((share) => !share.copy);
  const parts = takers.map((share, number) =>
    h("span", { class: `kfa-part kfa-part-${number % 4}`, style: `flex-grow: ${share.percent}`, hidden: share.percent === 0 }),
  );
  const words = shares.map((share) => `${share.variant} ${share.copy ? "gets copies of " : ""}${share.percent}% (${share.service})`);
  return [h("div", { class: "kfa-stack", "aria-hidden": "true" }, parts), h("ul", { class: "kfa-words" }, words.map((text) => h("li", {}, text)))];
}

/** A slider and a number for one variant; a change counts when it is let go. */
function makeSlider(variant, onChange) {
  const range = h("input", { type: "range", min: 0, max: 100, step: 1, value: variant.weight });
  const number = h("input", { type: "number", min: 0, max: 100, step: 1, value: variant.weight, class: "kfa-input kfa-small" });
  number.setAttribute("aria-label", `${variant.name} in percent`);
  let settled = variant.weight;
  let asked = 0;
  function set(weight) {
    settled = weight;
    range.value = weight;
    number.value = weight;
  }
  async function commit(text) {
    const weight = readWeight(text);
    if (weight === null || weight === settled) return set(settled);
    const before = settled;
    set(weight);
    asked += 1;
    const isDone = await onChange(weight);
    asked -= 1;
    if (!isDone && !asked) set(before);
    return undefined;
  }
  range.addEventListener("input", () => (number.value = range.value));
  range.addEventListener("change", () => commit(range.value));
  number.addEventListener("change", () => commit(number.value));
  const words = variant.shadow ? `Copies to ${variant.name}` : `Share of ${variant.name}`;
  const element = h("div", { class: "kfa-slider" }, labelled(words, range, { class: "kfa-labelled kfa-grow" }), number, h("span", {}, "%"));
  return { name: variant.name, element, set, weight: () => settled, isHeld: () => asked > 0 || Number(range.value) !== settled };
}

/** Read a weight in percent, from 0 to 100; null when it is none. */
export function readWeight(text) {
  const weight = Math.max(0, Math.min(100, Math.round(Number(text))));
  return text.trim() === "" || Number.isNaN(weight) ? null : weight;
}

function makeSteps(change, said) {
  const steps = keepSteps(applyAloud);
  const undo = button("Undo", () => steps.undo().then(mark), { disabled: true });
  const redo = button("Redo", () => steps.redo().then(mark), { disabled: true });
  function mark(isDone) {
    undo.toggleAttribute("disabled", steps.done.length === 0);
    redo.toggleAttribute("disabled", steps.undone.length === 0);
    return isDone;
  }
  async function applyAloud(name, weight) {
    put(said, `Giving ${name} ${weight}% …`);
    try {
      const before = await change(name, weight);
      put(said, `${name} has ${weight}% now.`);
      return before;
    } catch (error) {
      put(said, h("span", { class: "kfa-fault" }, wordsOf(error)));
      return null;
    }
  }
  const go = (name, weight) => steps.go(name, weight).then(mark);
  return { go, element: h("div", { class: "kfa-buttons" }, undo, redo) };
}

/**
 * Changes one after the other, with undo and redo; each tells whether anything was changed. Pure.
 * @param {function(string, number): Promise<number|null>} change Makes a change; gives the weight from before, null when it failed.
 */
export function keepSteps(change) {
  const [done, undone] = [[], []];
  async function apply({ name, weight }, onto) {
    const before = await change(name, weight);
    if (before !== null) onto.push({ name, weight: before });
    return before !== null;
  }
  async function back(from, onto) {
    const step = from.pop();
    const isDone = step !== undefined && (await apply(step, onto));
    if (step && !isDone) from.push(step);
    return isDone;
  }
  async function go(name, weight) {
    const isDone = await apply({ name, weight }, done);
    // What was undone before cannot be done again on top of something else.
    if (isDone) undone.length = 0;
    return isDone;
  }
  return { done, undone, go, undo: () => back(done, undone), redo: () => back(undone, done) };
}

/** Promote and take back, each asked once more before it is done. */
function makeTurns(variant, turn) {
  const sure = h("span", { class: "kfa-buttons", hidden: true, id: makeId("sure") });
  function ask(action, words) {
    const yes = button(words, () => leave(() => turn(action, variant.name)), { class: "kfa-button kfa-primary" });
    put(sure, yes, button("Cancel", () => leave()));
    sure.hidden = false;
    yes.focus();
  }
  function leave(act) {
    sure.hidden = true;
    act?.();
  }
  const promote = button(`Promote ${variant.name}`, () => ask("promote", `Yes, all requests go to ${variant.name}`));
  const rollback = button(`Take ${variant.name} back`, () => ask("rollback", `Yes, take ${variant.name} back`));
  return h("div", { class: "kfa-buttons" }, promote, rollback, sure);
}
