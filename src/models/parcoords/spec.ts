/** What a comparison shows, as it is kept in a notebook: read with distrust, written small. */

/** Selected part of an axis: from and to, or the categories (null: runs without a value). */
export type Brush =
  | { readonly kind: 'range'; readonly low: number; readonly high: number }
  | { readonly kind: 'set'; readonly values: readonly (string | null)[] };

/** The state of a comparison. */
export interface CompareSpec {
  /** Axes in order; absent: those that vary. */
  readonly axes?: readonly string[];
  /** The axis that colours the lines; empty: none; absent: the main metric. */
  readonly color?: string;
  readonly brushes: Readonly<Record<string, Brush>>;
  /** Axes whose scale was chosen; others decide by their range. */
  readonly log: Readonly<Record<string, boolean>>;
}

/** A comparison as JSON. */
export type CompareSpecJson = {
  axes?: string[];
  color?: string;
  brushes?: Record<string, (number | string | null)[]>;
  log?: Record<string, boolean>;
};

/** Nothing chosen. */
export const EMPTY_SPEC: CompareSpec = { brushes: {}, log: {} };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseBrush(value: unknown): Brush | undefined {
  if (!Array.isArray(value) || value.length === 0) {
    return undefined;
  }
  const [low, high] = value as unknown[];
  if (value.length === 2 && typeof low === 'number' && typeof high === 'number') {
    return Number.isFinite(low) && Number.isFinite(high)
      ? { kind: 'range', low: Math.min(low, high), high: Math.max(low, high) }
      : undefined;
  }
  const values = (value as unknown[])
    .filter(v => v === null || typeof v === 'string' || typeof v === 'number')
    .map(v => (v === null ? null : String(v)));
  return values.length ? { kind: 'set', values } : undefined;
}

/** Read a specification; what is not understood is left out. */
export function parseSpec(json: unknown): CompareSpec {
  if (!isRecord(json)) {
    return EMPTY_SPEC;
  }
  const brushes: Record<string, Brush> = {};
  for (const [id, value] of Object.entries(
    isRecord(json.brushes) ? json.brushes : {}
  )) {
    const brush = parseBrush(value);
    if (brush) {
      brushes[id] = brush;
    }
  }
  const log: Record<string, boolean> = {};
  for (const [id, value] of Object.entries(isRecord(json.log) ? json.log : {})) {
    if (typeof value === 'boolean') {
      log[id] = value;
    }
  }
  const axes = Array.isArray(json.axes)
    ? (json.axes as unknown[]).filter((a): a is string => typeof a === 'string')
    : undefined;
  return {
    ...(axes?.length ? { axes: [...new Set(axes)] } : {}),
    ...(typeof json.color === 'string' ? { color: json.color } : {}),
    brushes,
    log
  };
}

/** Write a specification; what was not chosen is left out. */
export function specToJson(spec: CompareSpec): CompareSpecJson {
  const json: CompareSpecJson = {};
  if (spec.axes) {
    json.axes = [...spec.axes];
  }
  if (spec.color !== undefined) {
    json.color = spec.color;
  }
  const brushes = Object.entries(spec.brushes);
  if (brushes.length) {
    json.brushes = Object.fromEntries(
      brushes.map(([id, b]) => [
        id,
        b.kind === 'range' ? [b.low, b.high] : [...b.values]
      ])
    );
  }
  if (Object.keys(spec.log).length) {
    json.log = { ...spec.log };
  }
  return json;
}

/** The specification with a brush set, or cleared by null. */
export function withBrush(
  spec: CompareSpec,
  id: string,
  brush: Brush | null
): CompareSpec {
  const brushes = { ...spec.brushes };
  if (brush) {
    brushes[id] = brush;
  } else {
    delete brushes[id];
  }
  return { ...spec, brushes };
}

/** Move one axis to a place among the others. */
export function moveAxis(axes: readonly string[], id: string, to: number): string[] {
  const rest = axes.filter(axis => axis !== id);
  const at = Math.max(0, Math.min(rest.length, to));
  return [...rest.slice(0, at), id, ...rest.slice(at)];
}
