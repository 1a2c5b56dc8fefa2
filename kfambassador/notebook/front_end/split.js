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

  function show(shares, weights = {}) {
    put(bar, drawShares(shares));
    sliders.forEach((slider) => slider.set(weights[slider.name] ?? percentOf(shares, slider.name) ?? slider.weight()));
  }

  async function change(name, weight) {
    const answer = await transport.ask("split", { namespace: exposure.namespace, name: exposure.name, variant: name, weight });
    show(answer.shares, { [name]: weight });
    return answer.before[name];
  }

  async function turn(action, name) {
    put(said, action === "promote" ? "Promoting …" : "Going back …");
    try {
      const place = { namespace: exposure.namespace, name: exposure.name, variant: name };
      const { shares } = await transport.ask("turn", { ...place, action });
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
  return { destroy: () => put(root) };
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
  function set(weight) {
    settled = weight;
    range.value = weight;
    number.value = weight;
  }
  async function commit(text) {
    const weight = Math.max(0, Math.min(100, Math.round(Number(text))));
    if (Number.isNaN(weight) || weight === settled) return set(settled);
    const before = settled;
    set(weight);
    if (!(await onChange(weight))) set(before);
    return undefined;
  }
  range.addEventListener("input", () => (number.value = range.value));
  range.addEventListener("change", () => commit(range.value));
  number.addEventListener("change", () => commit(number.value));
  const words = variant.shadow ? `Copies to ${variant.name}` : `Share of ${variant.name}`;
  const element = h("div", { class: "kfa-slider" }, labelled(words, range, { class: "kfa-labelled kfa-grow" }), number, h("span", {}, "%"));
  return { name: variant.name, element, set, weight: () => settled };
}

/**
 * Changes one after the other, with undo and redo.
 * @param {function(string, number): Promise<number>} change Makes a change; gives the weight from before.
 */
function makeSteps(change, said) {
  const done = [];
  const undone = [];
  const undo = button("Undo", () => back(done, undone), { disabled: true });
  const redo = button("Redo", () => back(undone, done), { disabled: true });
  function mark() {
    undo.toggleAttribute("disabled", done.length === 0);
    redo.toggleAttribute("disabled", undone.length === 0);
  }
  async function apply(name, weight, onto) {
    put(said, `Giving ${name} ${weight}% …`);
    try {
      const before = await change(name, weight);
      onto.push({ name, weight: before });
      put(said, `${name} has ${weight}% now.`);
      return true;
    } catch (error) {
      put(said, h("span", { class: "kfa-fault" }, wordsOf(error)));
      return false;
    } finally {
      mark();
    }
  }
  async function back(from, onto) {
    const step = from.pop();
    if (step && !(await apply(step.name, step.weight, onto))) from.push(step);
    mark();
  }
  async function go(name, weight) {
    undone.length = 0;
    return apply(name, weight, done);
  }
  return { go, element: h("div", { class: "kfa-buttons" }, undo, redo) };
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
