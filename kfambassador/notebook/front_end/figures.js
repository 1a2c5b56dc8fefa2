// What is live of a row: requests a second, errors and times, out of what was counted of its mappings. Pure.

/**
 * The figures of a row; null when it has no traffic.
 * @param {Object} row
 * @param {Object<string, Array>} figures By mapping: rate, share of errors, p99, with how many others it is counted.
 * @returns {{rate: number, errors: number, p99: number|null, shared: number}|null}
 */
export function figuresOf(row, figures) {
  let found = null;
  const counted = new Set();
  for (const split of row.splits) {
    const known = figures[split.mapping];
    // Mappings that lead to one service are one count.
    if (split.copy || !known || counted.has(split.service)) continue;
    counted.add(split.service);
    found = join(found, known);
  }
  return found;
}

function join(before, [rate, errors, p99, shared]) {
  if (before === null) return { rate, errors, p99, shared };
  const both = before.rate + rate;
  return {
    rate: both,
    errors: both ? (before.errors * before.rate + errors * rate) / both : 0,
    p99: before.p99 === null ? p99 : Math.max(before.p99, p99 ?? 0),
    shared: Math.max(before.shared, shared),
  };
}
