/** Which run is the best by a metric. */
import { findColumn, toNumber, type RunTable } from './table';

/** Words in the names of metrics that are better when smaller. */
const LOWER =
  /loss|error|err$|rmse|mse|mae|mape|perplexity|latency|seconds|time|duration/i;

/** Whether a metric of this name is better when smaller, judged by its name. */
export function lowerIsBetter(key: string): boolean {
  return LOWER.test(key);
}

/** The row with the best value among `ids`; -1 if none has one. */
export function bestRow(
  table: RunTable,
  key: string,
  ids: ReadonlySet<string>
): number {
  const values = findColumn(table, `metrics.${key}`)?.values ?? [];
  const sign = lowerIsBetter(key) ? -1 : 1;
  let best = -1;
  let top = -Infinity;
  values.forEach((cell, row) => {
    const value = sign * toNumber(cell);
    if (ids.has(table.ids[row]) && value > top) {
      [best, top] = [row, value];
    }
  });
  return best;
}
