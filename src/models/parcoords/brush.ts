/** Selecting runs by parts of axes. */
import { shortNumber } from '../format';
import type { ITranslate } from '../strings';
import type { Axis } from './axis';
import { fromUnit, toUnit } from './scale';
import type { Brush, CompareSpec } from './spec';

/** A part of an axis between two positions in [0, 1]. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

function accepts(axis: Axis, brush: Brush): (row: number) => boolean {
  if (brush.kind === 'set') {
    const wanted = new Set(brush.values);
    return row =>
      Number.isNaN(axis.values[row])
        ? wanted.has(null)
        : wanted.has(String(axis.raw[row]));
  }
  // Ends come from pixels: a hair of tolerance keeps the extreme values inside.
  const slack = (axis.max - axis.min) * 1e-9;
  return row =>
    axis.values[row] >= brush.low - slack && axis.values[row] <= brush.high + slack;
}

/** 1 for each run that lies in every brush of an axis that is shown. */
export function selectedRows(
  axes: readonly Axis[],
  brushes: CompareSpec['brushes'],
  rows: number
): Uint8Array {
  const mask = new Uint8Array(rows).fill(1);
  for (const axis of axes) {
    const brush = brushes[axis.id];
    if (brush) {
      const inside = accepts(axis, brush);
      for (let row = 0; row < rows; row++) {
        mask[row] &= inside(row) ? 1 : 0;
      }
    }
  }
  return mask;
}

/** The brush that covers a span; on categories, those whose middle lies in it. */
export function brushFromSpan(axis: Axis, span: Span): Brush | null {
  const [from, to] = [Math.min(span.from, span.to), Math.max(span.from, span.to)];
  if (axis.type === 'number') {
    return { kind: 'range', low: fromUnit(axis, from), high: fromUnit(axis, to) };
  }
  const values = axis.categories.filter((_, i) => {
    const at = toUnit(axis, i);
    return at >= from && at <= to;
  });
  return values.length ? { kind: 'set', values } : null;
}

/** The spans that a brush covers on its axis. */
export function spansOfBrush(axis: Axis, brush: Brush): Span[] {
  if (brush.kind === 'range') {
    const clamp = (v: number): number => Math.max(axis.min, Math.min(axis.max, v));
    if (axis.type !== 'number' || brush.low > axis.max || brush.high < axis.min) {
      return [];
    }
    const from = toUnit(axis, clamp(brush.low));
    const to = toUnit(axis, clamp(brush.high));
    return [from === to ? { from: from - 0.01, to: to + 0.01 } : { from, to }];
  }
  if (axis.type === 'number') {
    return [];
  }
  const half = 0.5 / axis.categories.length;
  return brush.values.flatMap(value => {
    const index = value === null ? -1 : axis.categories.indexOf(value);
    const at = toUnit(axis, index);
    return index < 0 ? [] : [{ from: at - half, to: at + half }];
  });
}

/** What an arrow key does to a brush. */
export type Nudge = 'move' | 'resize';

/** Move a brush, or its upper end, one step; the first step makes one around the middle. */
export function nudgeBrush(
  axis: Axis,
  brush: Brush | undefined,
  direction: 1 | -1,
  nudge: Nudge
): Brush | null {
  const spans = brush ? spansOfBrush(axis, brush) : [];
  const step = axis.type === 'category' ? 1 / axis.categories.length : 0.05;
  if (spans.length === 0) {
    const first =
      axis.type === 'category' ? { from: 0, to: step } : { from: 0.25, to: 0.75 };
    return brushFromSpan(axis, first);
  }
  let from = Math.min(...spans.map(s => s.from));
  let to = Math.max(...spans.map(s => s.to));
  if (nudge === 'resize') {
    to = Math.max(from + step / 2, Math.min(1, to + direction * step));
  } else {
    const by = direction > 0 ? Math.min(step, 1 - to) : -Math.min(step, from);
    from += by;
    to += by;
  }
  // Categories are chosen by their middle: pull the ends in so that none is caught twice.
  const inset = axis.type === 'category' ? step / 4 : 0;
  return brushFromSpan(axis, { from: from + inset, to: to - inset });
}

/** With or without the runs that have no value, the rest of the brush kept if it can be. */
export function toggleMissing(brush: Brush | undefined): Brush | null {
  const values = brush?.kind === 'set' ? brush.values : [];
  const next = values.includes(null)
    ? values.filter(v => v !== null)
    : [...values, null];
  return next.length ? { kind: 'set', values: next } : null;
}

/** A brush in words, for the screen reader. */
export function brushText(brush: Brush | undefined, trans: ITranslate): string {
  if (!brush) {
    return trans.__('everything');
  }
  if (brush.kind === 'range') {
    return trans.__('%1 to %2', shortNumber(brush.low), shortNumber(brush.high));
  }
  return brush.values.map(v => v ?? trans.__('missing')).join(', ');
}
