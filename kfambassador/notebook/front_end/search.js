// The search field with its help, and the counts that are filters too.

import { button, countOf, h, liveRegion, makeId, put, setText } from "./dom.js";
import { hasWord, isOfKind, toggleWord } from "./filter.js";

const HEARD_AFTER = 600;
const HELP = [
  ["words", "all of them, anywhere in the row"],
  ["-word", "not this word"],
  ['"two words"', "exactly so"],
  ["state:conflict", "also serving, pending, warned, rejected"],
  ["ns:team method:post", "also path:, host:, service:, mapping:, object:"],
  ["is:problem", "also is:conflict, is:split, is:shadow, is:busy"],
  ["errors>1 p99>200 rate>5", "percent, milliseconds, requests a second"],
];

/**
 * @param {string} first What is filtered by at first.
 * @param {function(string)} onFilter Hears what is typed.
 * @param {function()} onReset Brings the order of evaluation back.
 */
export function makeSearch(first, onFilter, onReset) {
  const faults = h("div", { class: "kfa-fault", id: makeId("faults"), role: "status" });
  const input = h("input", {
    type: "search",
    class: "kfa-input",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "Filter: words, state:conflict, ns:team, errors>1",
    "aria-label": "Filter routes",
    "aria-describedby": faults.id,
    "aria-keyshortcuts": "/",
    value: first,
    onInput: () => onFilter(input.value),
  });
  const found = h("span", { class: "kfa-found", "aria-hidden": "true" });
  const heard = liveRegion({ class: "kfa-heard" });
  const rows = HELP.map(([words, means]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, words)), h("td", {}, means)));
  const help = h("div", { class: "kfa-help", id: makeId("help"), hidden: true }, h("table", {}, h("tbody", {}, rows)));
  const ask = button("?", () => showHelp(help.hidden), { "aria-label": "How to filter", "aria-controls": help.id });
  const reset = button("Evaluation order", onReset, { hidden: true });
  let saying = null;
  showHelp(false);

  function showHelp(isShown) {
    help.hidden = !isShown;
    ask.setAttribute("aria-expanded", String(isShown));
  }
  function set(text) {
    input.value = text;
    onFilter(text);
  }
  function tell(shown, all, wrong, isSorted) {
    const words = shown === all ? countOf(all, "route") : `${shown.toLocaleString("en-US")} of ${countOf(all, "route")}`;
    setText(found, words);
    setText(faults, wrong.join("\n"));
    reset.hidden = !isSorted;
    // Read out once a person has stopped typing.
    clearTimeout(saying);
    saying = setTimeout(() => setText(heard, words), HEARD_AFTER);
  }
  /** Take back what is open or typed; tells whether there was any. */
  function escape(target) {
    if (!help.hidden) {
      showHelp(false);
      if (help.contains(target)) ask.focus();
    } else if (target === input && input.value) set("");
    else return false;
    return true;
  }
  const bar = h("div", { class: "kfa-bar" }, input, ask, reset, found, heard);
  const element = h("div", { class: "kfa-search" }, bar, faults, help);
  return { element, set, tell, escape, focus: () => input.focus(), destroy: () => clearTimeout(saying) };
}

/**
 * What there is of each kind; pressing one adds it to the filter or takes it out again.
 * @param {function(string)} onFilter Hears the new filter.
 */
export function makeChips(onFilter) {
  const element = h("div", { class: "kfa-chips", role: "group", "aria-label": "Filter by kind" });
  let filter = "";
  let chips = [];

  function mark() {
    for (const [word, chip] of chips) chip.setAttribute("aria-pressed", String(hasWord(filter, word)));
  }
  function makeChip([word, words, tone]) {
    const known = chips.find(([each]) => each === word);
    // What has the focus stays in the page.
    if (known) setText(known[1], words);
    return known ?? [word, button(words, () => onFilter(toggleWord(filter, word)), { class: `kfa-button kfa-flag ${tone}` })];
  }
  return {
    element,
    update({ routes, problems }) {
      const next = countKinds(routes, problems).map(makeChip);
      const isSame = next.length === chips.length && next.every((chip, number) => chip === chips[number]);
      chips = next;
      if (!isSame) put(element, chips.map(([, chip]) => chip));
      mark();
    },
    /** Show which of them the filter has. */
    press(text) {
      filter = text;
      mark();
    },
  };
}

/** What of a table is worth a look, each with its filter, its words and its tone; what there is none of is left out. */
export function countKinds(routes, problems) {
  const wrong = problems.filter((problem) => problem.severity !== "notice").length;
  const are = (kind) => routes.filter((row) => isOfKind(row, kind, {}, problems)).length;
  const count = (state) => routes.filter((row) => row.state === state).length;
  const [conflicts, splits] = [are("conflict"), are("split")];
  const [left, pending] = [count("rejected"), count("pending")];
  return [
    ["is:problem", countOf(wrong, "problem"), "kfa-warn", wrong],
    ["is:conflict", countOf(conflicts, "conflict"), "kfa-bad", conflicts],
    ["state:rejected", `${left.toLocaleString("en-US")} left out`, "kfa-bad", left],
    ["state:pending", `${pending.toLocaleString("en-US")} pending`, "kfa-soft", pending],
    ["is:split", `${splits.toLocaleString("en-US")} split`, "kfa-soft", splits],
  ].filter(([, , , number]) => number > 0);
}
