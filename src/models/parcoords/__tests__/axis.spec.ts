import { describe, expect, it } from 'vitest';
import { column, wire } from '../../__tests__/helpers';
import { fromWire } from '../../table';
import { buildAxes, chooseAxes, colorAxis, varies } from '../axis';
import { viridis } from '../color';
import { fromUnit, ticks, toUnit } from '../scale';
import { EMPTY_SPEC, moveAxis, parseSpec, specToJson, withBrush } from '../spec';
import { axes, axis, table } from './fixture';

describe('axes', () => {
  it('make numbers of params that look like numbers', () => {
    expect(axis('params.lr')).toMatchObject({ type: 'number', min: 1e-4, max: 0.1 });
    expect(axis('params.depth')).toMatchObject({ integer: true, missing: 1 });
    expect(axis('params.crit').type).toBe('category');
  });

  it('sort categories with numbers first, by size', () => {
    expect(axis('params.mixed').categories).toEqual(['9', '10', 'auto', 'None']);
  });

  it('keep long categories apart and whole', () => {
    expect(axis('params.crit').categories).toContain('a very long name of a category');
  });

  it('put NaN and infinities in the lane of the missing', () => {
    expect(axis('metrics.acc').missing).toBe(1);
    expect(axis('metrics.acc').max).toBe(0.9);
  });

  it('use a log scale beyond two decades, unless told otherwise', () => {
    expect(axis('params.lr').log).toBe(true);
    expect(axis('params.depth')).toMatchObject({ log: false, canLog: true });
    const told = buildAxes(table, { 'params.lr': false, 'metrics.acc': true });
    expect(told.find(a => a.id === 'params.lr')?.log).toBe(false);
    expect(told.find(a => a.id === 'metrics.acc')?.log).toBe(true);
  });

  it('leave the tags of the system out', () => {
    expect(axes.map(a => a.id)).toContain('tags.team');
    expect(axes.map(a => a.id)).not.toContain('tags.mlflow.parentRunId');
  });

  it('show what varies, params first', () => {
    expect(chooseAxes(axes, EMPTY_SPEC).map(a => a.key)).toEqual([
      'lr',
      'depth',
      'crit',
      'mixed',
      'acc'
    ]);
    expect(varies(axis('params.same'))).toBe(false);
    const one = buildAxes(fromWire(wire(['a'], [column('param', 'p', ['1'])])));
    expect(chooseAxes(one, EMPTY_SPEC).map(a => a.key)).toEqual(['p']);
    const again = buildAxes(
      fromWire(wire(['a', 'b'], [column('param', 'p', ['1', '2'])]))
    );
    expect(chooseAxes(again, EMPTY_SPEC).map(a => a.key)).toEqual(['duration', 'p']);
  });

  it('show what was asked for, in that order, passing over what is gone', () => {
    const asked = parseSpec({ axes: ['metrics.acc', 'params.gone', 'params.lr'] });
    expect(chooseAxes(axes, asked).map(a => a.key)).toEqual(['acc', 'lr']);
  });

  it('colour by a metric most runs have, or by what was chosen', () => {
    const shown = chooseAxes(axes, EMPTY_SPEC);
    expect(colorAxis(axes, shown, EMPTY_SPEC)?.key).toBe('acc');
    expect(colorAxis(axes, shown, parseSpec({ color: 'params.lr' }))?.key).toBe('lr');
    expect(colorAxis(axes, shown, parseSpec({ color: '' }))).toBeUndefined();
    expect(colorAxis(axes, shown, parseSpec({ color: 'params.crit' }))).toBeUndefined();
  });
});

describe('scales', () => {
  it('go there and back', () => {
    for (const id of ['params.lr', 'params.depth', 'metrics.acc']) {
      const a = axis(id);
      for (const at of [0, 0.25, 0.5, 1]) {
        expect(toUnit(a, fromUnit(a, at))).toBeCloseTo(at, 9);
      }
    }
    expect(toUnit(axis('params.lr'), 0.001)).toBeCloseTo(1 / 3, 9);
  });

  it('put categories in the middle of their part', () => {
    const crit = axis('params.crit');
    expect(toUnit(crit, 0)).toBeCloseTo(1 / 6);
    expect(fromUnit(crit, 0.99)).toBe(2);
    expect(fromUnit(crit, 1)).toBe(2);
  });

  it('put a single value in the middle', () => {
    expect(toUnit(axis('params.same'), 1)).toBe(0.5);
    expect(ticks(axis('params.same'), 5)).toEqual([
      { at: 0.5, label: '1', title: '1' }
    ]);
  });

  it('have round ticks', () => {
    expect(ticks(axis('params.depth'), 5).map(t => t.label)).toEqual([
      '2',
      '4',
      '6',
      '8',
      '10'
    ]);
    expect(ticks(axis('params.lr'), 5).map(t => t.label)).toEqual([
      '1e-4',
      '0.001',
      '0.01',
      '0.1'
    ]);
    expect(ticks(axis('params.crit'), 5)).toHaveLength(3);
  });

  it('thin out many categories', () => {
    const values = Array.from({ length: 500 }, (_, i) => `name ${i}`);
    const many = buildAxes(fromWire(wire(values, [column('param', 'p', values)]))).find(
      a => a.id === 'params.p'
    );
    expect(many && ticks(many, 8).length).toBeLessThanOrEqual(16);
  });
});

describe('the specification', () => {
  const json = {
    axes: ['params.a', 'metrics.b'],
    color: 'metrics.b',
    brushes: { 'metrics.b': [0.9, 1], 'params.a': ['gini', null] },
    log: { 'params.a': true }
  };

  it('goes there and back', () => {
    expect(specToJson(parseSpec(json))).toEqual(json);
    expect(specToJson(EMPTY_SPEC)).toEqual({});
  });

  it('is read with distrust', () => {
    const bad = parseSpec({
      axes: ['a', 3, 'a'],
      color: 5,
      brushes: { x: [Infinity, 1], y: 'no', z: [], w: [{}] },
      log: { x: 'yes' }
    });
    expect(bad).toEqual({ axes: ['a'], brushes: {}, log: {} });
    expect(parseSpec([1])).toEqual(EMPTY_SPEC);
  });

  it('turns a range around that is upside down', () => {
    expect(parseSpec({ brushes: { x: [3, 1] } }).brushes.x).toEqual({
      kind: 'range',
      low: 1,
      high: 3
    });
  });

  it('is never changed in place', () => {
    const spec = withBrush(EMPTY_SPEC, 'x', { kind: 'set', values: ['a'] });
    expect(EMPTY_SPEC.brushes).toEqual({});
    expect(withBrush(spec, 'x', null).brushes).toEqual({});
    expect(moveAxis(['a', 'b', 'c'], 'a', 2)).toEqual(['b', 'c', 'a']);
    expect(moveAxis(['a', 'b', 'c'], 'c', -5)).toEqual(['c', 'a', 'b']);
  });
});

describe('colours', () => {
  it('are clear of the background', () => {
    expect(viridis(0, false)).toBe('rgb(68, 1, 84)');
    expect(viridis(1, true)).toBe('rgb(253, 231, 37)');
    expect(viridis(0, true)).not.toBe(viridis(0, false));
    expect(viridis(5, true)).toBe(viridis(1, true));
  });
});
