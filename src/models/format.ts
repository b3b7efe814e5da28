/** Numbers, durations and ages as short texts. */
import type { Cell } from '../api/types';
import type { ITranslate } from './strings';
import { toNumber } from './table';

const UNITS: readonly [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k']
];

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/**
 * A number in at most about six characters: 0.9134, 12.5k, 3e-5; `digits` are significant.
 *
 * What is exactly half is rounded away from zero, and what is rounded up to 10,000 or to the next unit
 * is said in that: `short_number` of `widgets/texts.py` is the same.
 */
export function shortNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(value);
  if (value === 0) {
    return '0';
  }
  if (size < 1e-3 || size >= 1e15) {
    return withExponent(value, digits);
  }
  if (size < 1e4) {
    const whole = Number.isInteger(value) ? value : rounded(value, digits);
    if (Math.abs(whole) < 1e4) {
      return String(whole);
    }
  }
  for (const [scale, unit] of UNITS) {
    const found = rounded(value / scale, digits - 1);
    // Or it is rounded up to this unit, from below it.
    if ((size >= scale && Math.abs(found) < 1000) || Math.abs(found) === 1) {
      return String(found) + unit;
    }
  }
  return withExponent(value, digits);
}

function rounded(value: number, digits: number): number {
  return Number(value.toPrecision(digits));
}

function withExponent(value: number, digits: number): string {
  return value
    .toExponential(digits - 2)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e');
}

/** Numbers as short texts that tell them apart: 0.95998 and 0.95999, not twice 0.96. */
export function distinctNumbers(values: readonly number[]): string[] {
  const wanted = new Set(values).size;
  let texts: string[] = [];
  for (let digits = 4; digits < 19; digits++) {
    texts = values.map(value => shortNumber(value, digits));
    if (new Set(texts).size === wanted) {
      break;
    }
  }
  return texts;
}

/** A number for a tooltip: everything that matters, nothing of floating-point noise. */
export function longNumber(value: number): string {
  return Number.isFinite(value)
    ? String(Number(value.toPrecision(8)))
    : shortNumber(value);
}

/** A cell as text; metrics are shortened, params are shown as they were logged. */
export function cellText(cell: Cell | undefined, kind: string): string {
  if (cell === null || cell === undefined) {
    return '';
  }
  if (typeof cell === 'number') {
    return shortNumber(cell);
  }
  return kind === 'metric' ? shortNumber(toNumber(cell)) : cell;
}

/** A span of time: 340 ms, 12.4 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function duration(ms: number): string {
  if (ms < 1000) {
    return `${Math.max(0, Math.round(ms))} ms`;
  }
  const s = ms / 1000;
  if (s < 60) {
    return `${trim(s.toFixed(1))} s`;
  }
  const pairs: [number, string, number, string][] = [
    [60, 'min', 1, 's'],
    [3600, 'h', 60, 'min'],
    [86400, 'd', 3600, 'h']
  ];
  const [big, bigName, small, smallName] =
    s < 3600 ? pairs[0] : s < 86400 ? pairs[1] : pairs[2];
  const whole = Math.floor(s / big);
  const rest = Math.floor((s - whole * big) / small);
  return rest ? `${whole} ${bigName} ${rest} ${smallName}` : `${whole} ${bigName}`;
}

/** How long ago something was, in one short word. */
export function age(then: number, now: number, trans: ITranslate): string {
  const s = Math.max(0, (now - then) / 1000);
  if (s < 45) {
    return trans.__('now');
  }
  if (s < 3600) {
    return trans.__('%1 min', Math.max(1, Math.round(s / 60)));
  }
  if (s < 86400) {
    return trans.__('%1 h', Math.round(s / 3600));
  }
  if (s < 86400 * 60) {
    return trans.__('%1 d', Math.round(s / 86400));
  }
  return new Date(then).toISOString().slice(0, 10);
}

/** The size of a file. */
export function fileSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${trim(value >= 100 || unit === 0 ? value.toFixed(0) : value.toPrecision(3))} ${units[unit]}`;
}

/** The word for a run's status. */
export function statusWord(status: string, trans: ITranslate): string {
  switch (status) {
    case 'RUNNING':
      return trans.__('Running');
    case 'FINISHED':
      return trans.__('Finished');
    case 'FAILED':
      return trans.__('Failed');
    case 'KILLED':
      return trans.__('Killed');
    case 'SCHEDULED':
      return trans.__('Scheduled');
    default:
      return status || trans.__('Unknown');
  }
}

/** The word for a status with the reason, where there is one. */
export function withReason(word: string, reason = ''): string {
  return reason ? `${word}: ${reason}` : word;
}
