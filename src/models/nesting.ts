/** Child runs below their parents. */
import { findColumn, type RunTable } from './table';

/** A row of the table at its place in the tree. */
export interface Placed {
  readonly row: number;
  readonly depth: number;
}

/** Deeper nesting is not indented further. */
const DEEPEST = 3;

/** Rows in order, children directly below a parent that is in the table too. */
export function nest(table: RunTable): Placed[] {
  const parents = findColumn(table, 'tags.mlflow.parentRunId')?.values;
  if (!parents) {
    return table.ids.map((_, row) => ({ row, depth: 0 }));
  }
  const at = new Map(table.ids.map((id, row) => [id, row]));
  const children = new Map<number, number[]>();
  const roots: number[] = [];
  table.ids.forEach((_, row) => {
    const parent = at.get(String(parents[row]));
    if (parent === undefined || parent === row) {
      roots.push(row);
    } else {
      children.set(parent, [...(children.get(parent) ?? []), row]);
    }
  });
  const placed: Placed[] = [];
  const place = (row: number, depth: number): void => {
    placed.push({ row, depth: Math.min(depth, DEEPEST) });
    children.get(row)?.forEach(child => place(child, depth + 1));
  };
  roots.forEach(row => place(row, 0));
  // Tags are free text: runs that name each other as parents must not vanish.
  if (placed.length < table.ids.length) {
    const seen = new Set(placed.map(p => p.row));
    table.ids.forEach((_, row) => seen.has(row) || placed.push({ row, depth: 0 }));
  }
  return placed;
}
