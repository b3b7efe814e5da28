/** A table and a specification, worked out: what is shown, what is selected. */
import type { RunTable } from '../table';
import { buildAxes, chooseAxes, colorAxis, type Axis } from './axis';
import { selectedRows } from './brush';
import { toUnit } from './scale';
import type { CompareSpec } from './spec';

/** Everything a comparison shows. */
export interface CompareState {
  readonly table: RunTable;
  readonly spec: CompareSpec;
  /** Every axis there could be. */
  readonly all: readonly Axis[];
  /** The axes shown, in order. */
  readonly shown: readonly Axis[];
  readonly color: Axis | undefined;
  /** 1 for each run inside all brushes. */
  readonly mask: Uint8Array;
  /** How many runs are inside all brushes. */
  readonly selected: number;
}

function sameLog(a: CompareSpec, b: CompareSpec): boolean {
  return a.log === b.log || JSON.stringify(a.log) === JSON.stringify(b.log);
}

/** Work out the state; axes are taken over from `before` where they cannot have changed. */
export function compareState(
  table: RunTable,
  spec: CompareSpec,
  before?: CompareState
): CompareState {
  const reuse = before && before.table === table && sameLog(before.spec, spec);
  const all = reuse ? before.all : buildAxes(table, spec.log);
  const shown = chooseAxes(all, spec);
  const mask = selectedRows(shown, spec.brushes, table.ids.length);
  return {
    table,
    spec,
    all,
    shown,
    color: colorAxis(all, shown, spec),
    mask,
    selected: mask.reduce((n, bit) => n + bit, 0)
  };
}

/** The ids of the runs inside all brushes. */
export function selectedIds(state: CompareState): string[] {
  return state.table.ids.filter((_, row) => state.mask[row] === 1);
}

/** Position of a run on the colour scale; NaN without a value. */
export function colorAt(state: CompareState, row: number): number {
  return state.color ? toUnit(state.color, state.color.values[row]) : NaN;
}
