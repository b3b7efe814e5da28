import { describe, expect, it } from 'vitest';
import { nest } from '../nesting';
import { nextSort, sortRows } from '../sorting';
import {
  appendPage,
  EMPTY_TABLE,
  filterRows,
  findColumn,
  fromWire,
  isNumeric,
  metricKeys,
  refreshHead,
  replaceRows,
  tagOf,
  toNumber
} from '../table';
import { bestRow, lowerIsBetter } from '../best';
import { column, wire } from './helpers';

const acc = (...values: (number | string | null)[]) => column('metric', 'acc', values);

describe('reading', () => {
  it('fills in what the wire leaves out', () => {
    const table = fromWire({ run_ids: ['a'] });
    expect(table).toMatchObject({ ids: ['a'], names: [''], ends: [null], next: '' });
    expect(fromWire({})).toEqual(EMPTY_TABLE);
  });

  it('tells numbers from texts', () => {
    expect(['1', '-2.5', '1e-4', ' 3 ', '.5'].map(isNumeric)).toEqual(
      Array(5).fill(true)
    );
    expect(['', 'None', '0x10', '1e999', 'NaN', '1 2'].map(isNumeric)).toEqual(
      Array(6).fill(false)
    );
    expect(toNumber('NaN')).toBeNaN();
    expect(toNumber('-Infinity')).toBe(-Infinity);
    expect(toNumber(null)).toBeNaN();
  });

  it('finds tags', () => {
    const table = fromWire(wire(['a', 'b'], [column('tag', 'x', ['1', null])]));
    expect(tagOf(table, 0, 'x')).toBe('1');
    expect(tagOf(table, 1, 'x')).toBe('');
    expect(tagOf(table, 0, 'y')).toBe('');
  });
});

describe('putting pages together', () => {
  const first = fromWire(wire(['a', 'b'], [acc(1, 2)], 'p2'));

  it('appends a page with other columns, each run once', () => {
    const page = fromWire(wire(['b', 'c'], [column('param', 'd', ['x', 'y'])]));
    const both = appendPage(first, page);
    expect(both.ids).toEqual(['a', 'b', 'c']);
    expect(findColumn(both, 'metrics.acc')?.values).toEqual([1, 2, null]);
    expect(findColumn(both, 'params.d')?.values).toEqual([null, null, 'y']);
    expect(both.next).toBe('');
  });

  it('puts a new head before older rows and keeps where reading stopped', () => {
    const head = fromWire({ ...wire(['n', 'a'], [acc(9, 8)], 'other'), total: 3 });
    const both = refreshHead(first, head);
    expect(both.ids).toEqual(['n', 'a', 'b']);
    expect(findColumn(both, 'metrics.acc')?.values).toEqual([9, 8, 2]);
    expect([both.next, both.total]).toEqual(['p2', 3]);
  });

  it('replaces rows in place and passes strangers over', () => {
    const fresh = fromWire(wire(['z', 'b'], [acc(0, 7)]));
    const table = replaceRows(first, fresh);
    expect(table.ids).toEqual(['a', 'b']);
    expect(findColumn(table, 'metrics.acc')?.values).toEqual([1, 7]);
  });

  it('drops rows', () => {
    expect(filterRows(first, id => id !== 'a').ids).toEqual(['b']);
    expect(filterRows(first, () => true)).toBe(first);
  });
});

describe('looking at metrics', () => {
  it('puts the most frequent metric first', () => {
    const columns = [acc(1, null, null), column('metric', 'loss', [1, 2, null])];
    expect(metricKeys(fromWire(wire(['a', 'b', 'c'], columns)))).toEqual([
      'loss',
      'acc'
    ]);
  });

  it('knows which way is better', () => {
    const table = fromWire(
      wire(
        ['a', 'b', 'c'],
        [acc(0.1, 0.9, 0.5), column('metric', 'val_loss', [3, 2, 1])]
      )
    );
    const all = new Set(table.ids);
    expect(bestRow(table, 'acc', all)).toBe(1);
    expect(bestRow(table, 'val_loss', all)).toBe(2);
    expect(bestRow(table, 'acc', new Set(['c']))).toBe(2);
    expect(bestRow(table, 'none', all)).toBe(-1);
    expect(lowerIsBetter('accuracy')).toBe(false);
  });
});

describe('order', () => {
  const table = fromWire(wire(['a', 'b', 'c', 'd'], [acc(2, null, 10, 'NaN')]));
  const rows = [0, 1, 2, 3];

  it('sorts numbers as numbers, and what is missing last either way', () => {
    const by = (descending: boolean) =>
      sortRows(table, rows, { id: 'metrics.acc', descending });
    expect(by(false)).toEqual([0, 2, 3, 1]);
    expect(by(true)).toEqual([3, 2, 0, 1]);
    expect(sortRows(table, rows, null)).toEqual(rows);
  });

  it('goes from down to up to none', () => {
    const down = nextSort(null, 'x');
    const up = nextSort(down, 'x');
    expect([down, up, nextSort(up, 'x')]).toEqual([
      { id: 'x', descending: true },
      { id: 'x', descending: false },
      null
    ]);
    expect(nextSort(up, 'y')?.id).toBe('y');
  });
});

describe('nesting', () => {
  it('puts children below a parent that is there', () => {
    const parents = column('tag', 'mlflow.parentRunId', ['c', null, null, 'gone']);
    const table = fromWire(wire(['a', 'b', 'c', 'd'], [parents]));
    expect(nest(table)).toEqual([
      { row: 1, depth: 0 },
      { row: 2, depth: 0 },
      { row: 0, depth: 1 },
      { row: 3, depth: 0 }
    ]);
  });

  it('loses no run whose parents go in a circle', () => {
    const parents = column('tag', 'mlflow.parentRunId', ['b', 'a']);
    expect(nest(fromWire(wire(['a', 'b'], [parents])))).toHaveLength(2);
  });
});
