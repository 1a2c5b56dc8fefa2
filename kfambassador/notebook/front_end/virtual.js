// Which rows of a long table are in sight. Pure.

/** Pixels of a row; the style sheet says the same. */
export const ROW_HEIGHT = 28;
const SPARE = 6;

/**
 * The rows to draw: those in sight, and a few on both sides.
 * @param {number} scrolled Pixels above.
 * @param {number} height Pixels in sight.
 * @param {number} count Of all rows.
 * @returns {{first: number, last: number}} From first to before last.
 */
export function findWindow(scrolled, height, count) {
  const first = Math.max(0, Math.min(count, Math.floor(scrolled / ROW_HEIGHT)) - SPARE);
  const last = Math.min(count, Math.ceil((scrolled + height) / ROW_HEIGHT) + SPARE);
  return { first, last: Math.max(first, last) };
}

/**
 * Where to scroll so that a row is in sight.
 * @returns {number} Pixels above.
 */
export function scrollTo(place, scrolled, height) {
  const top = place * ROW_HEIGHT;
  if (top < scrolled) return top;
  const bottom = top + ROW_HEIGHT - height;
  return bottom > scrolled ? bottom : scrolled;
}

/** Where a key leads among the rows; null when it leads nowhere. */
export function moveTo(key, place, count, page) {
  const steps = { ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page };
  const wanted = { Home: 0, End: count - 1, ...steps }[key];
  return wanted === undefined || count === 0 ? null : Math.max(0, Math.min(count - 1, wanted));
}

/**
 * How far rows have moved that a person looks at; 0 when the topmost of them is gone, or nothing is scrolled.
 * @param {number} scrolled Pixels above.
 * @param {string[]} before Names of the rows, in their order.
 * @param {string[]} after The same later.
 * @returns {number} Pixels to scroll further.
 */
export function findShift(scrolled, before, after) {
  const top = Math.floor(scrolled / ROW_HEIGHT);
  if (scrolled === 0 || before[top] === undefined || after[top] === before[top]) return 0;
  const place = after.indexOf(before[top]);
  return place < 0 ? 0 : (place - top) * ROW_HEIGHT;
}
