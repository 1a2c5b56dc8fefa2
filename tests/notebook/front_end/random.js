// Tables, filters and scrolling by chance, the same in every run.

import { makeFigures, makeProblem, makeRow, makeSplit } from "./tables.js";

const STATES = ["serving", "pending", "warned", "conflict", "rejected"];
const METHODS = ["*", "GET", "POST", "DELETE"];

/**
 * Numbers by chance (xorshift), the same for the same seed.
 * @param {number} seed
 */
export function makeChance(seed) {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  function below(limit) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % limit;
  }
  return {
    below,
    pick: (values) => values[below(values.length)],
    is: (oneIn) => below(oneIn) === 0,
    shuffle(values) {
      const left = [...values];
      return values.map(() => left.splice(below(left.length), 1)[0]);
    },
  };
}

/** Rows of every kind, with problems and figures: some without a path, some with equal values, some with no traffic. */
export function makeRandomTable(chance, count = chance.below(60)) {
  const problems = [];
  const routes = Array.from({ length: count }, (_, number) => {
    const few = chance.below(8);
    const splits = Array.from({ length: 1 + chance.below(3) }, (_each, place) =>
      makeSplit(`team-${few % 3}/m${few}-${place}`, { copy: place > 0 && chance.is(3), rewrite: chance.pick(["", "/v1/", "/v2/"]) }),
    );
    const state = chance.pick(STATES);
    const numbers = state === "warned" || state === "conflict" ? [problems.length] : [];
    if (numbers.length) problems.push(makeProblem(splits[0].object, { conflict: state === "conflict" }));
    const path = chance.is(6) ? "" : `/models/m${few}/*`;
    return makeRow(number, { id: `row ${number}`, method: chance.pick(METHODS), path, state, splits, problems: numbers });
  });
  const { figures } = makeFigures(routes, chance.below(100));
  for (const name of Object.keys(figures)) if (chance.is(3)) figures[name][2] = null;
  return { routes, problems, figures };
}

/** A filter as a person may type it, also one that is not yet finished. */
export function makeRandomFilter(chance) {
  const words = [
    () => chance.pick(["m1", "POST", "team", "conflict", "/models/", "MODEL", "nothing-has-this"]),
    () => `ns:team-${chance.below(4)}`,
    () => `state:${chance.pick(STATES)}`,
    () => `method:${chance.pick(["post", "*", "g"])}`,
    () => `is:${chance.pick(["problem", "conflict", "split", "shadow", "busy", "nonsense"])}`,
    () => `${chance.pick(["rate", "errors", "p99"])}${chance.pick([">", ">=", "<", "<=", ":"])}${chance.below(300)}`,
    () => `"${chance.pick(["left out", "no field", "m2", ""])}${chance.pick(['"', ""])}`,
    () => chance.pick(["-", "ns:", "rate>", "is:", "http://a:80/", "a:b", "::", '"']),
  ];
  const typed = Array.from({ length: chance.below(4) }, () => `${chance.is(4) ? "-" : ""}${chance.pick(words)()}`);
  return typed.join(chance.pick([" ", "  "]));
}
