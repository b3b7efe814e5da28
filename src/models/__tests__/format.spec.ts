import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { imageType, pathBelow, previewOf } from '../artifact';
import { cardFacts, parseInferred } from '../card';
import {
  age,
  cellText,
  duration,
  fileSize,
  longNumber,
  shortNumber,
  statusWord,
  withReason
} from '../format';
import { ENGLISH } from '../strings';
import { fromWire } from '../table';
import { parseView } from '../viewSpec';
import { column, wire } from './helpers';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [0.91346, '0.9135'],
    [42, '42'],
    [9999, '9999'],
    [12_345, '12.3k'],
    [1_500_000, '1.5M'],
    [0.00003, '3e-5'],
    [-0.00123, '-0.00123'],
    [NaN, 'NaN'],
    [-Infinity, '−∞']
  ])('%f is short as %s', (value, text) => expect(shortNumber(value)).toBe(text));

  it('are the same texts as in a card', () => {
    const cases = JSON.parse(readFileSync('tests/widgets/numbers.json', 'utf8')) as [
      string,
      string
    ][];
    for (const [value, text] of cases) {
      const number = Number(value.replace('inf', 'Infinity'));
      expect(shortNumber(number)).toBe(text);
    }
  });

  it('leaves floating-point noise away but nothing else', () => {
    expect(longNumber(0.1 + 0.2)).toBe('0.3');
    expect(longNumber(0.91345678)).toBe('0.91345678');
  });

  it('shows params as they were logged', () => {
    expect(cellText('0.10', 'param')).toBe('0.10');
    expect(cellText('NaN', 'metric')).toBe('NaN');
    expect(cellText(null, 'metric')).toBe('');
  });
});

describe('times and sizes', () => {
  it.each([
    [340, '340 ms'],
    [12_400, '12.4 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h']
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it('tells ages', () => {
    const now = Date.UTC(2026, 5, 1);
    const ago = (s: number) => age(now - s * 1000, now, ENGLISH);
    expect([ago(3), ago(300), ago(7200), ago(3 * 86400)]).toEqual([
      'now',
      '5 min',
      '2 h',
      '3 d'
    ]);
    expect(ago(100 * 86400)).toBe('2026-02-21');
  });

  it('tells sizes', () => {
    expect([fileSize(12), fileSize(1500), fileSize(2_340_000)]).toEqual([
      '12 B',
      '1.5 kB',
      '2.34 MB'
    ]);
  });
});

describe('artifacts', () => {
  it('never shows what may hold scripts', () => {
    expect(previewOf('a/plot.png', 10)).toBe('image');
    expect(previewOf('model/MLmodel', 10)).toBe('text');
    expect(['x.svg', 'x.html', 'x.xhtml', 'x.pkl'].map(p => previewOf(p, 10))).toEqual(
      Array(4).fill('none')
    );
    expect(previewOf('big.png', 1e9)).toBe('none');
  });

  it('believes bytes, not names', () => {
    const bytes = (...b: number[]) => new Uint8Array(b).buffer;
    expect(imageType(bytes(0x89, 0x50, 0x4e, 0x47))).toBe('image/png');
    expect(imageType(bytes(0xff, 0xd8))).toBe('image/jpeg');
    expect(imageType(bytes(0x3c, 0x73, 0x76, 0x67))).toBeNull();
  });

  it('opens only notebooks below the root', () => {
    expect(pathBelow('/home/ada', '/home/ada/x/n.ipynb')).toBe('x/n.ipynb');
    expect(pathBelow('/home/ada', '/home/adam/n.ipynb')).toBeNull();
    expect(pathBelow('', '/n.ipynb')).toBeNull();
    expect(pathBelow('/r', 'x/n.ipynb')).toBe('x/n.ipynb');
    expect(pathBelow('/r', '../n.ipynb')).toBeNull();
  });
});

describe('views of a notebook', () => {
  it('are read with distrust', () => {
    expect(parseView({ version: 2, view: { kind: 'card' } })).toBeNull();
    expect(parseView({ version: 1, view: { kind: 'evil' } })).toBeNull();
    expect(parseView('text')).toBeNull();
    expect(parseView(null)).toBeNull();
    const view = parseView({
      version: 1,
      run_ids: ['a', 3, 'a'],
      view: { kind: 'runs', columns: ['x', null] }
    });
    expect(view).toMatchObject({ kind: 'runs', runIds: ['a'], columns: ['x'] });
  });
});

describe('cards', () => {
  it('mark what was inferred', () => {
    const table = fromWire(
      wire(
        ['a'],
        [
          column('metric', 'acc', [0.5]),
          column('param', 'depth', ['4']),
          column('param', 'none', [null]),
          column('tag', 'mltrack.inferred', ['{"params":["depth"]}']),
          column('tag', 'mltrack.model', ['model'])
        ]
      )
    );
    const facts = cardFacts(table, 0, 0);
    expect(facts.params).toEqual([{ key: 'depth', value: '4', inferred: true }]);
    expect(facts.metrics).toEqual([{ key: 'acc', value: '0.5', inferred: false }]);
    expect(facts.hasModel).toBe(true);
    expect(facts.duration).toBe('500 ms');
  });

  it('survive a tag that is no JSON', () => {
    expect(parseInferred('{').params).toEqual([]);
    expect(parseInferred('{"params":5}').params).toEqual([]);
  });
});

describe('the reason of a status', () => {
  it('stands behind its word', () => {
    const word = statusWord('KILLED', ENGLISH);
    expect(withReason(word, 'The kernel died.')).toBe('Killed: The kernel died.');
    expect(withReason(word)).toBe('Killed');
    expect(withReason(word, '')).toBe('Killed');
  });

  it('is a fact of the card', () => {
    const reasons = column('tag', 'mltrack.status_reason', ['The kernel died.', null]);
    const table = fromWire(wire(['a', 'b'], [reasons]));
    expect([0, 1].map(row => cardFacts(table, row, 0).reason)).toEqual([
      'The kernel died.',
      ''
    ]);
  });
});
