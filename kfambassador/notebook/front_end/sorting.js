// In which order rows are shown. Pure.

import { figuresOf } from "./figures.js";

const STATES = ["rejected", "conflict", "warned", "pending", "serving"];

/** The columns, in their order: name, heading, what is sorted by, and whether it is a number that is live. */
export const COLUMNS = [
  { name: "state", heading: "State", key: (row) => STATES.indexOf(row.state) },
  { name: "method", heading: "Method", key: (row) => row.method },
  { name: "path", heading: "Path", key: (row) => row.path || row.splits[0]?.object },
  { name: "service", heading: "Service", key: (row) => row.splits[0]?.service },
  { name: "rewrite", heading: "Rewrite", key: (row) => row.splits[0]?.rewrite },
  { name: "rate", heading: "Req/s", key: (row, figures) => figuresOf(row, figures)?.rate, isNumber: true },
  { name: "errors", heading: "Errors", key: (row, figures) => figuresOf(row, figures)?.errors, isNumber: true },
  { name: "p99", heading: "p99", key: (row, figures) => figuresOf(row, figures)?.p99, isNumber: true },
  { name: "mapping", heading: "Mapping", key: (row) => row.splits[0]?.mapping || row.splits[0]?.object },
];

/** Whether another figure can bring another order. */
export function isLiveOrder(order) {
  return COLUMNS.some((column) => column.name === order?.column && column.isNumber);
}

/** What a click on a heading makes of the order: numbers begin with the largest, a third click ends it. */
export function nextOrder(order, column) {
  const first = column.isNumber ? -1 : 1;
  if (order?.column !== column.name) return { column: column.name, direction: first };
  return order.direction === first ? { column: column.name, direction: -first } : null;
}

/**
 * Sort places of rows; what is equal stays in the order of evaluation, and what has no value comes last.
 * @param {number[]} places In the order of evaluation.
 * @param {Array<Object>} rows
 * @param {{column: string, direction: number}|null} order null is the order of evaluation.
 * @param {Object} figures
 */
export function sortRows(places, rows, order, figures) {
  const column = COLUMNS.find((each) => each.name === order?.column);
  if (!column) return places;
  const keyed = places.map((place) => [column.key(rows[place], figures) ?? "", place]);
  keyed.sort(([a, first], [b, second]) => {
    if (a === "" || b === "") return (a === "") - (b === "") || first - second;
    return (a < b ? -1 : a > b ? 1 : 0) * order.direction || first - second;
  });
  return keyed.map(([, place]) => place);
}
