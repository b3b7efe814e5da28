/** Rows in the order of a column. */
import type { Cell } from '../api/types';
import { findColumn, toNumber, type RunTable } from './table';

/** By which column, and which way. */
export interface Sort {
  readonly id: string;
  readonly descending: boolean;
}

/** The cells of a column or attribute. */
export function cellsOf(table: RunTable, id: string): readonly Cell[] {
  switch (id) {
    case 'attributes.run_name':
      return table.names;
    case 'attributes.status':
      return table.statuses;
    case 'attributes.start_time':
      return table.starts;
    case 'attributes.duration':
      return table.ends.map((end, i) => (end === null ? null : end - table.starts[i]));
    default:
      return findColumn(table, id)?.values ?? [];
  }
}

function compareCells(a: Cell | undefined, b: Cell | undefined): number {
  const [x, y] = [toNumber(a), toNumber(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y)) {
    return x - y;
  }
  if (Number.isNaN(x) !== Number.isNaN(y)) {
    return Number.isNaN(x) ? 1 : -1;
  }
  return String(a ?? '').localeCompare(String(b ?? ''));
}

/** Row numbers in order; rows without a value come last, whichever way. */
export function sortRows(
  table: RunTable,
  rows: readonly number[],
  sort: Sort | null
): number[] {
  if (!sort) {
    return [...rows];
  }
  const cells = cellsOf(table, sort.id);
  const empty = (row: number): boolean =>
    cells[row] === null || cells[row] === undefined;
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    if (empty(a) || empty(b)) {
      return Number(empty(a)) - Number(empty(b)) || a - b;
    }
    return sign * compareCells(cells[a], cells[b]) || a - b;
  });
}

/** The next state of a header that is clicked: down, up, not at all. */
export function nextSort(sort: Sort | null, id: string): Sort | null {
  if (sort?.id !== id) {
    return { id, descending: true };
  }
  return sort.descending ? { id, descending: false } : null;
}
