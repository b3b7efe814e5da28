/** What a kernel wrote into a notebook: run ids and what to make of them. Never trusted. */
import { parseSpec, type CompareSpec } from './parcoords/spec';

/** The mime type of a view. */
export const VIEW_MIME = 'application/vnd.mltrack.view+json';

/** A view of some runs. */
export interface ViewSpec {
  readonly kind: 'card' | 'runs' | 'compare' | 'run';
  readonly runIds: readonly string[];
  readonly compare: CompareSpec;
  /** Columns of a table of runs; empty: what varies. */
  readonly columns: readonly string[];
}

const KINDS = ['card', 'runs', 'compare', 'run'] as const;

function strings(value: unknown): string[] {
  return Array.isArray(value)
    ? (value as unknown[]).filter((v): v is string => typeof v === 'string')
    : [];
}

/** Read a view; null if it is of a version or kind that is not known here. */
export function parseView(json: unknown): ViewSpec | null {
  const { version, run_ids, view } = (json ?? {}) as Record<string, unknown>;
  const spec = (view ?? {}) as Record<string, unknown>;
  const kind = KINDS.find(k => k === spec.kind);
  if (version !== 1 || !kind) {
    return null;
  }
  return {
    kind,
    runIds: [...new Set(strings(run_ids))].slice(0, 10_000),
    compare: parseSpec(spec),
    columns: strings(spec.columns)
  };
}
