import { describe, expect, it } from 'vitest';
import { column, wire } from '../../__tests__/helpers';
import { ENGLISH } from '../../strings';
import { fromWire } from '../../table';
import { chooseAxes } from '../axis';
import {
  brushFromSpan,
  brushText,
  nudgeBrush,
  selectedRows,
  spansOfBrush,
  toggleMissing
} from '../brush';
import { beginDrag, dragTo } from '../drag';
import { indexAt, layOut } from '../layout';
import { nearestRow } from '../nearest';
import { EMPTY_SPEC, parseSpec } from '../spec';
import { compareState, selectedIds } from '../state';
import { axes, axis, table } from './fixture';

describe('brushes', () => {
  const rows = (brushes: Parameters<typeof selectedRows>[1]) => [
    ...selectedRows(axes, brushes, 4)
  ];

  it('are combined with and', () => {
    const range = { kind: 'range', low: 0.6, high: 0.95 } as const;
    const set = { kind: 'set', values: ['entropy'] } as const;
    expect(rows({})).toEqual([1, 1, 1, 1]);
    expect(rows({ 'metrics.acc': range })).toEqual([0, 1, 0, 1]);
    expect(rows({ 'metrics.acc': range, 'params.crit': set })).toEqual([0, 1, 0, 0]);
  });

  it('select the missing', () => {
    expect(rows({ 'params.depth': { kind: 'set', values: [null] } })).toEqual([
      0, 0, 1, 0
    ]);
    expect(toggleMissing(undefined)).toEqual({ kind: 'set', values: [null] });
    expect(toggleMissing({ kind: 'set', values: ['x', null] })).toEqual({
      kind: 'set',
      values: ['x']
    });
    expect(toggleMissing({ kind: 'set', values: [null] })).toBeNull();
  });

  it('come from a span and become one again', () => {
    const acc = axis('metrics.acc');
    const brush = brushFromSpan(acc, { from: 0.75, to: 0.25 });
    expect(brush).toMatchObject({ kind: 'range' });
    const [span] = brush ? spansOfBrush(acc, brush) : [];
    expect(span.from).toBeCloseTo(0.25);
    expect(span.to).toBeCloseTo(0.75);
    const crit = axis('params.crit');
    expect(brushFromSpan(crit, { from: 0.4, to: 1 })).toEqual({
      kind: 'set',
      values: ['entropy', 'gini']
    });
    expect(brushFromSpan(crit, { from: 0.4, to: 0.45 })).toBeNull();
  });

  it('outside of the axis show nothing', () => {
    expect(
      spansOfBrush(axis('metrics.acc'), { kind: 'range', low: 2, high: 3 })
    ).toEqual([]);
  });

  it('follow the arrow keys', () => {
    const acc = axis('metrics.acc');
    const first = nudgeBrush(acc, undefined, 1, 'move');
    const spanOf = (b: ReturnType<typeof nudgeBrush>) =>
      b ? spansOfBrush(acc, b)[0] : null;
    expect(spanOf(first)?.from).toBeCloseTo(0.25);
    const up = nudgeBrush(acc, first ?? undefined, 1, 'move');
    expect(spanOf(up)?.from).toBeCloseTo(0.3);
    const wider = nudgeBrush(acc, up ?? undefined, 1, 'resize');
    expect(spanOf(wider)?.to).toBeCloseTo(0.85);
    const crit = axis('params.crit');
    const one = nudgeBrush(crit, undefined, 1, 'move');
    expect(one).toEqual({ kind: 'set', values: [crit.categories[0]] });
    expect(nudgeBrush(crit, one ?? undefined, 1, 'move')).toEqual({
      kind: 'set',
      values: [crit.categories[1]]
    });
    expect(nudgeBrush(crit, one ?? undefined, 1, 'resize')).toEqual({
      kind: 'set',
      values: crit.categories.slice(0, 2)
    });
  });

  it('can be said', () => {
    expect(brushText(undefined, ENGLISH)).toBe('everything');
    expect(brushText({ kind: 'range', low: 0.1, high: 2 }, ENGLISH)).toBe('0.1 to 2');
    expect(brushText({ kind: 'set', values: ['a', null] }, ENGLISH)).toBe('a, missing');
  });

  it('are drawn, moved and pulled', () => {
    expect(dragTo(beginDrag([], 0.8, 0.02), 0.5)).toEqual({ from: 0.5, to: 0.8 });
    const spans = [{ from: 0.2, to: 0.4 }];
    const moved = dragTo(beginDrag(spans, 0.3, 0.02), 1);
    expect(moved.from).toBeCloseTo(0.8);
    expect(moved.to).toBeCloseTo(1);
    expect(dragTo(beginDrag(spans, 0.4, 0.02), 0.9)).toEqual({ from: 0.2, to: 0.9 });
    expect(dragTo(beginDrag(spans, 0.2, 0.02), 0.6)).toEqual({ from: 0.4, to: 0.6 });
    expect(beginDrag(spans, 0.9, 0.02).mode).toBe('new');
  });
});

describe('the state', () => {
  it('selects by brushes of shown axes only', () => {
    const spec = parseSpec({ brushes: { 'metrics.acc': [0.6, 1] } });
    const state = compareState(table, spec);
    expect(selectedIds(state)).toEqual(['b', 'd']);
    expect(state.selected).toBe(2);
    const hidden = compareState(table, { ...spec, axes: ['params.lr'] }, state);
    expect(hidden.selected).toBe(4);
    expect(hidden.all).toBe(state.all);
  });
});

describe('layout and lines', () => {
  const shown = chooseAxes(axes, EMPTY_SPEC);
  const layout = layOut(shown, { width: 800, height: 400 });

  it('has a lane for what is missing, below the axes', () => {
    expect(layout.lane).toBeGreaterThan(layout.bottom);
    expect(layout.ys[1][2]).toBe(layout.lane);
    const whole = layOut([axis('params.crit')], { width: 800, height: 400 });
    expect(whole.lane).toBeNull();
  });

  it('scrolls rather than crowding', () => {
    expect(layOut(shown, { width: 100, height: 300 }).width).toBeGreaterThan(300);
  });

  it('finds the place for a dragged axis', () => {
    expect(indexAt(layout, layout.xs[2] + 10)).toBe(2);
    expect(indexAt(layout, -500)).toBe(0);
  });

  it('finds the nearest line that is selected', () => {
    const lines = {
      xs: [0, 100],
      ys: [Float64Array.from([0, 50, 100]), Float64Array.from([0, 50, 0])]
    };
    const all = new Uint8Array(3).fill(1);
    expect(nearestRow(lines, all, 50, 3, 10)).toBe(0);
    expect(nearestRow(lines, all, 10, 88, 10)).toBe(2);
    expect(nearestRow(lines, all, 10, 70, 10)).toBe(-1);
    expect(nearestRow(lines, Uint8Array.from([0, 1, 1]), 50, 3, 10)).toBe(-1);
    expect(nearestRow(lines, all, 105, 48, 10)).toBe(1);
    expect(nearestRow(lines, all, 300, 48, 10)).toBe(-1);
    expect(nearestRow({ xs: [], ys: [] }, all, 0, 0, 10)).toBe(-1);
  });

  it('is quick with ten thousand runs', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => String(i));
    const big = fromWire(
      wire(
        many,
        Array.from({ length: 10 }, (_, k) =>
          column(
            'metric',
            `m${k}`,
            many.map((_, i) => ((i * 7919) % 997) + k)
          )
        )
      )
    );
    const start = performance.now();
    const state = compareState(
      big,
      parseSpec({ brushes: { 'metrics.m3': [10, 500] } })
    );
    layOut(state.shown, { width: 900, height: 400 });
    expect(state.selected).toBeGreaterThan(4000);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
