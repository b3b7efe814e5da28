/** From columns to axes: what is a number, what a category, what is missing, what varies. */
import type { Cell } from '../../api/types';
import { columnId, isNumeric, toNumber, type RunTable } from '../table';
import type { CompareSpec } from './spec';

/** One axis with a value per run. */
export interface Axis {
  /** The column in MLflow's grammar, as `metrics.acc`. */
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly type: 'number' | 'category';
  /** What was logged. */
  readonly raw: readonly Cell[];
  /** Numbers, or indices into the categories; NaN where a run has no value. */
  readonly values: Float64Array;
  readonly categories: readonly string[];
  readonly min: number;
  readonly max: number;
  /** All values are whole numbers. */
  readonly integer: boolean;
  /** How many runs have no value. */
  readonly missing: number;
  /** A logarithmic scale is possible. */
  readonly canLog: boolean;
  /** A logarithmic scale is used. */
  readonly log: boolean;
}

interface Source {
  readonly kind: string;
  readonly key: string;
  readonly values: readonly Cell[];
}

/** More than two decades are unreadable on a linear scale. */
const LOG_SPAN = 100;

/** Pseudo columns that every table has. */
function attributes(table: RunTable): Source[] {
  const spans = table.ids.map((_, i) => {
    const end = table.ends[i];
    return end === null ? null : Math.max(0, (end - table.starts[i]) / 1000);
  });
  return [
    { kind: 'attribute', key: 'status', values: table.statuses },
    { kind: 'attribute', key: 'duration', values: spans }
  ];
}

/** Numbers first and by size, then texts: how people expect categories to be sorted. */
function compareCategories(a: string, b: string): number {
  const [x, y] = [isNumeric(a), isNumeric(b)];
  if (x && y) {
    return Number(a) - Number(b);
  }
  return x !== y ? (x ? -1 : 1) : a.localeCompare(b);
}

function readCategories(source: Source): Pick<Axis, 'values' | 'categories'> {
  const present = source.values.filter((v): v is string | number => v !== null);
  const categories = [...new Set(present.map(String))].sort(compareCategories);
  const index = new Map(categories.map((name, i) => [name, i]));
  const values = Float64Array.from(source.values, v =>
    v === null ? NaN : (index.get(String(v)) ?? NaN)
  );
  return { values, categories };
}

function isNumberColumn(source: Source): boolean {
  if (source.kind === 'metric') {
    return true;
  }
  return source.values.every(v => v === null || typeof v === 'number' || isNumeric(v));
}

function buildAxis(source: Source, log: boolean | undefined): Axis {
  const type = isNumberColumn(source) ? 'number' : 'category';
  const { values, categories } =
    type === 'category'
      ? readCategories(source)
      : { values: Float64Array.from(source.values, numberOrNaN), categories: [] };
  let [min, max, missing, integer] = [Infinity, -Infinity, 0, true];
  for (const value of values) {
    if (Number.isNaN(value)) {
      missing += 1;
    } else {
      min = Math.min(min, value);
      max = Math.max(max, value);
      integer &&= Number.isInteger(value);
    }
  }
  const canLog = type === 'number' && min > 0 && max > min;
  return {
    id: columnId(source),
    kind: source.kind,
    key: source.key,
    type,
    raw: source.values,
    values,
    categories,
    min,
    max,
    integer,
    missing,
    canLog,
    log: canLog && (log ?? max / min > LOG_SPAN)
  };
}

/** Infinity has no place on a scale: such a value lies in the lane of the missing ones. */
function numberOrNaN(cell: Cell): number {
  const value = toNumber(cell);
  return Number.isFinite(value) ? value : NaN;
}

/** Every possible axis of a table, params before metrics before the rest. */
export function buildAxes(table: RunTable, log: CompareSpec['log'] = {}): Axis[] {
  const order = ['param', 'metric', 'attribute', 'tag'];
  const sources: Source[] = [...table.columns, ...attributes(table)];
  return sources
    .filter(source => order.includes(source.kind))
    .filter(
      source => !(source.kind === 'tag' && /^(mltrack|mlflow)\./.test(source.key))
    )
    .map(source => buildAxis(source, log[columnId(source)]))
    .sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** Whether the runs that have a value differ in it; a value that only some have tells little. */
export function varies(axis: Axis): boolean {
  return axis.max > axis.min;
}

/** So many axes can be read side by side; the chooser has the others. */
const AT_MOST = 12;
const DURATION = 'attributes.duration';

/** The axes to show: those asked for, else the params and metrics that vary. */
export function chooseAxes(all: readonly Axis[], spec: CompareSpec): Axis[] {
  if (spec.axes) {
    const byId = new Map(all.map(axis => [axis.id, axis]));
    return spec.axes.flatMap(id => byId.get(id) ?? []);
  }
  const main = all.filter(axis => axis.kind === 'param' || axis.kind === 'metric');
  const differing = main.filter(varies);
  // One run, or runs that are all alike: an empty plot would explain nothing.
  const chosen = differing.length ? differing : main;
  const metrics = chosen.filter(axis => axis.kind === 'metric').slice(0, AT_MOST / 2);
  const params = chosen.filter(axis => axis.kind === 'param');
  if (differing.length === 1) {
    // A cell that was run again: one axis joins nothing.
    return [...all.filter(axis => axis.id === DURATION), ...chosen];
  }
  return [...params.slice(0, AT_MOST - metrics.length), ...metrics];
}

/** The axis that colours the lines. */
export function colorAxis(
  all: readonly Axis[],
  shown: readonly Axis[],
  spec: CompareSpec
): Axis | undefined {
  if (spec.color !== undefined) {
    return all.find(axis => axis.id === spec.color && axis.type === 'number');
  }
  const metrics = shown.filter(axis => axis.kind === 'metric' && axis.max > axis.min);
  // The first that most runs have: the order of the server is the order of logging.
  const common = metrics.find(axis => axis.missing * 2 <= axis.values.length);
  return common ?? metrics[0];
}
