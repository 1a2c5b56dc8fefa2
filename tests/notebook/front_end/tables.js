// Tables to try the front end with: many routes, every state, and names that are full of markup.

/** Markup that would run, or show as something else than text, wherever it is not written as text. */
export const MARKUP = `"><img src=x onerror="window.wasRun = true"><script>window.wasRun = true</script>&lt;b&gt;'`;

const STATES = { 7: "warned", 23: "pending", 91: "conflict" };
const TEAMS = ["vision", "ranking", "fraud", "speech"];

/**
 * A row as the kernel writes it.
 * @param {number} number
 * @param {Object} changes What is different of it.
 */
export function makeRow(number, changes = {}) {
  const team = TEAMS[number % TEAMS.length];
  const name = `model-${String(number).padStart(4, "0")}`;
  const path = `/models/${team}/${name}/*`;
  const share = number % 10 === 3 ? 90 : 100;
  const splits = [makeSplit(`${team}/${name}`, { share })];
  if (share < 100) splits.push(makeSplit(`${team}/${name}-canary`, { share: 100 - share }));
  if (number % 50 === 4) splits.push(makeSplit(`${team}/${name}-next`, { share: 20, copy: true }));
  const conditions = number % 15 === 2 ? "host=models.example.com" : "";
  return {
    id: `POST ${path} ${conditions}`.trim(),
    method: number % 5 === 0 ? "*" : "POST",
    path,
    conditions,
    precedence: 0,
    namespace: team,
    state: STATES[number % 100] ?? "serving",
    splits,
    problems: [],
    ...changes,
  };
}

/** One mapping of a row. */
export function makeSplit(mapping, changes = {}) {
  const [namespace, name] = mapping.split("/");
  return {
    mapping,
    service: `${name}.${namespace}:8501`,
    rewrite: `/v1/models/${name}:predict`,
    share: 100,
    copy: false,
    object: `Service ${mapping}`,
    document: 1,
    line: 3,
    ...changes,
  };
}

/** A problem as the kernel writes it. */
export function makeProblem(object, changes = {}) {
  return {
    severity: "warning",
    code: "unknown-field",
    message: "timeout_sec is no field of a Mapping; timeout_ms is one.",
    path: "timeout_sec",
    object,
    document: 1,
    line: 3,
    place: `${object}, document 1, field timeout_sec`,
    conflict: false,
    ...changes,
  };
}

/** A table event of many routes: every hundredth three times in trouble, and one that is left out. */
export function makeTableEvent(count, changes = {}) {
  const problems = [];
  const routes = Array.from({ length: count }, (_, number) => {
    const row = makeRow(number);
    if (row.state === "warned") problems.push(makeProblem(row.splits[0].object));
    if (row.state === "conflict") {
      const message = "fraud/other takes the same requests; it was there first.";
      problems.push(makeProblem(row.splits[0].object, { severity: "error", code: "taken", path: "prefix", message, conflict: true }));
    }
    const isTroubled = row.state === "warned" || row.state === "conflict";
    return isTroubled ? { ...row, problems: [problems.length - 1] } : row;
  });
  if (count > 100) routes.push(makeLeftOut(problems));
  return {
    kind: "table",
    generation: 12,
    served: 12,
    routes,
    problems,
    gateway: { url: "http://127.0.0.1:8080", place: "this machine", namespace: "team-a" },
    ...changes,
  };
}

function makeLeftOut(problems) {
  const object = "Service fraud/broken";
  problems.push(makeProblem(object, { severity: "error", code: "no-prefix", path: "prefix", message: "A Mapping needs a prefix." }));
  const split = makeSplit("fraud/broken", { mapping: "", service: "", rewrite: "", share: 0 });
  const none = { method: "", path: "", conditions: "", state: "rejected" };
  return makeRow(0, { ...none, id: `! ${object} 1`, namespace: "fraud", splits: [split], problems: [problems.length - 1] });
}

/** Figures of every third mapping. */
export function makeFigures(routes, turn = 0) {
  const figures = {};
  routes.forEach((row, number) => {
    if (number % 3 !== 0 || !row.splits[0].mapping) return;
    const rate = ((number * 7919 + turn * 104729) % 4000) / 10;
    figures[row.splits[0].mapping] = [rate, number % 12 === 0 ? 0.031 : 0, 4 + ((number * 31 + turn) % 900) / 2, 0];
  });
  return { kind: "figures", at: 1_700_000_000 + turn, seconds: 10, figures };
}

/** A table whose every text is markup. */
export function makeMarkupTable() {
  const object = `Service ${MARKUP}/${MARKUP}`;
  const texts = { path: `/${MARKUP}`, conditions: `x=${MARKUP}`, namespace: MARKUP, id: MARKUP };
  const split = { mapping: `${MARKUP}/${MARKUP}`, service: MARKUP, rewrite: MARKUP, object };
  const row = makeRow(1, { ...texts, method: MARKUP, state: "conflict", splits: [makeSplit("a/b", split)], problems: [0] });
  const problem = makeProblem(object, { message: MARKUP, path: MARKUP, place: MARKUP, code: MARKUP, conflict: true });
  return { ...makeTableEvent(0), routes: [row], problems: [problem], gateway: { url: MARKUP, place: MARKUP, namespace: MARKUP } };
}
