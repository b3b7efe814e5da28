/** Values to positions and back; 0 is the lower end of an axis, 1 the upper. */
import { distinctNumbers } from '../format';
import type { Axis } from './axis';

/** A labelled position on an axis. */
export interface Tick {
  readonly at: number;
  readonly label: string;
  /** The whole label, where `label` may be shortened by the view. */
  readonly title: string;
}

/** Position of a value; NaN stays NaN. A single value lies in the middle. */
export function toUnit(axis: Axis, value: number): number {
  if (axis.type === 'category') {
    return (value + 0.5) / axis.categories.length;
  }
  if (axis.max === axis.min) {
    return Number.isNaN(value) ? NaN : 0.5;
  }
  if (axis.log) {
    return Math.log(value / axis.min) / Math.log(axis.max / axis.min);
  }
  return (value - axis.min) / (axis.max - axis.min);
}

/** The value at a position. */
export function fromUnit(axis: Axis, at: number): number {
  const unit = Math.max(0, Math.min(1, at));
  if (axis.type === 'category') {
    const index = Math.floor(unit * axis.categories.length);
    return Math.min(axis.categories.length - 1, index);
  }
  if (unit === 0 || axis.max === axis.min) {
    return axis.min;
  }
  if (unit === 1) {
    return axis.max;
  }
  if (axis.log) {
    return axis.min * Math.pow(axis.max / axis.min, unit);
  }
  return axis.min + unit * (axis.max - axis.min);
}

function niceStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const lead = rough / power;
  return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

function linearValues(
  min: number,
  max: number,
  count: number,
  integer: boolean
): number[] {
  const step = Math.max(niceStep(max - min, count), integer ? 1 : 0);
  const values: number[] = [];
  // Multiples are computed, not summed up: 0.1 + 0.2 would show on the axis.
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) {
    values.push(Number((i * step).toPrecision(12)));
  }
  return values;
}

function logValues(min: number, max: number, count: number): number[] {
  const [from, to] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const stride = Math.max(1, Math.ceil((to - from + 1) / count));
  const leads = to - from <= 2 ? [1, 2, 5] : [1];
  const values: number[] = [];
  for (let power = from; power <= to; power += stride) {
    for (const lead of leads) {
      const value = Number((lead * Math.pow(10, power)).toPrecision(6));
      if (value >= min * (1 - 1e-9) && value <= max * (1 + 1e-9)) {
        values.push(value);
      }
    }
  }
  return values;
}

/** About `count` ticks; every category if they fit, else every n-th. */
export function ticks(axis: Axis, count: number): Tick[] {
  if (axis.type === 'category') {
    const stride = Math.max(1, Math.ceil(axis.categories.length / (count * 2)));
    return axis.categories.flatMap((name, i) =>
      i % stride ? [] : [{ at: toUnit(axis, i), label: name, title: name }]
    );
  }
  if (!Number.isFinite(axis.min)) {
    return [];
  }
  if (axis.min === axis.max) {
    return numberTicks(axis, [axis.min]);
  }
  const values = axis.log
    ? logValues(axis.min, axis.max, count)
    : linearValues(axis.min, axis.max, count, axis.integer);
  // A log axis within one decade, or a tiny range, may have no round value inside.
  const shown = values.length > 1 ? values : [axis.min, axis.max];
  return numberTicks(axis, shown);
}

function numberTicks(axis: Axis, values: readonly number[]): Tick[] {
  const labels = distinctNumbers(values);
  return values.map((value, i) => ({
    at: toUnit(axis, value),
    label: labels[i],
    title: String(value)
  }));
}
