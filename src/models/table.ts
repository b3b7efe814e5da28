/** Runs as columns: reading them, putting pages together, replacing rows that changed. */
import type { Cell, Column, WireTable } from '../api/types';

/** A page of runs, or several put together, with every array present. */
export interface RunTable {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly experimentIds: readonly string[];
  readonly statuses: readonly string[];
  /** Milliseconds since 1970. */
  readonly starts: readonly number[];
  /** Milliseconds since 1970; null while the run goes on. */
  readonly ends: readonly (number | null)[];
  readonly columns: readonly Column[];
  /** Token of the page that follows; empty when this is all. */
  readonly next: string;
  /** How many runs match in all, if the server counted. */
  readonly total: number | null;
}

/** No runs at all. */
export const EMPTY_TABLE: RunTable = {
  ids: [],
  names: [],
  experimentIds: [],
  statuses: [],
  starts: [],
  ends: [],
  columns: [],
  next: '',
  total: null
};

/** Fill in what the wire leaves out. */
export function fromWire(wire: WireTable): RunTable {
  const ids = wire.run_ids ?? [];
  return {
    ids,
    names: wire.run_names ?? ids.map(() => ''),
    experimentIds: wire.experiment_ids ?? ids.map(() => ''),
    statuses: wire.statuses ?? ids.map(() => ''),
    starts: wire.start_times ?? ids.map(() => 0),
    ends: wire.end_times ?? ids.map(() => null),
    columns: wire.columns ?? [],
    next: wire.next_page_token ?? '',
    total: wire.total ?? null
  };
}

/** The name of a column in MLflow's grammar, as `metrics.acc`. */
export function columnId(column: { kind: string; key: string }): string {
  return `${column.kind}s.${column.key}`;
}

/** The column of that name. */
export function findColumn(table: RunTable, id: string): Column | undefined {
  return table.columns.find(column => columnId(column) === id);
}

/** The value of a tag in a row; empty if it has none. */
export function tagOf(table: RunTable, row: number, key: string): string {
  const value = findColumn(table, `tags.${key}`)?.values[row];
  return value === undefined || value === null ? '' : String(value);
}

/** The number in a cell; NaN for none, and for what is no number. */
export function toNumber(cell: Cell | undefined): number {
  if (typeof cell === 'number') {
    return cell;
  }
  if (cell === 'Infinity' || cell === '-Infinity') {
    return Number(cell);
  }
  return typeof cell === 'string' && isNumeric(cell) ? Number(cell) : NaN;
}

const NUMERIC = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;

/** Whether a text is a finite decimal number, as params often are. */
export function isNumeric(text: string): boolean {
  return NUMERIC.test(text) && Number.isFinite(Number(text));
}

type Pick = readonly [table: RunTable, row: number];

function assemble(picks: readonly Pick[], page: Pick[0]): RunTable {
  const tables = [...new Set(picks.map(pick => pick[0]))];
  const columns = new Map<string, Column>();
  for (const table of tables) {
    const own = new Map(table.columns.map(column => [columnId(column), column]));
    for (const [id, { kind, key }] of own) {
      if (!columns.has(id)) {
        columns.set(id, {
          kind,
          key,
          values: new Array<Cell>(picks.length).fill(null)
        });
      }
    }
    picks.forEach(([from, row], at) => {
      if (from === table) {
        for (const [id, column] of own) {
          const target = columns.get(id);
          if (target) {
            target.values[at] = column.values[row] ?? null;
          }
        }
      }
    });
  }
  return {
    ids: picks.map(([t, i]) => t.ids[i]),
    names: picks.map(([t, i]) => t.names[i]),
    experimentIds: picks.map(([t, i]) => t.experimentIds[i]),
    statuses: picks.map(([t, i]) => t.statuses[i]),
    starts: picks.map(([t, i]) => t.starts[i]),
    ends: picks.map(([t, i]) => t.ends[i]),
    columns: [...columns.values()],
    next: page.next,
    total: page.total
  };
}

function all(table: RunTable): Pick[] {
  return table.ids.map((_, row) => [table, row] as const);
}

/** Put a page behind what is there; rows that are there already are kept once. */
export function appendPage(table: RunTable, page: RunTable): RunTable {
  const known = new Set(table.ids);
  const fresh = all(page).filter(([t, i]) => !known.has(t.ids[i]));
  return assemble([...all(table), ...fresh], page);
}

/** Put a newly read first page before what was read earlier, which stays. */
export function refreshHead(table: RunTable, head: RunTable): RunTable {
  const known = new Set(head.ids);
  const rest = all(table).filter(([t, i]) => !known.has(t.ids[i]));
  if (rest.length === 0) {
    return head;
  }
  const end = { ...head, next: table.next, total: head.total };
  return assemble([...all(head), ...rest], end);
}

/** Replace the rows that `fresh` brings, in place. */
export function replaceRows(table: RunTable, fresh: RunTable): RunTable {
  const at = new Map(fresh.ids.map((id, row) => [id, row]));
  const picks = all(table).map(pick => {
    const row = at.get(pick[0].ids[pick[1]]);
    return row === undefined ? pick : ([fresh, row] as const);
  });
  return assemble(picks, table);
}

/** Keep only the rows for which `keep` holds. */
export function filterRows(
  table: RunTable,
  keep: (id: string, row: number) => boolean
): RunTable {
  const picks = all(table).filter(([t, i]) => keep(t.ids[i], i));
  return picks.length === table.ids.length ? table : assemble(picks, table);
}

/** The rows of these ids in this order; ids that are not there are left out. */
export function pickRows(table: RunTable, ids: readonly string[]): RunTable {
  const at = new Map(table.ids.map((id, row) => [id, row]));
  const picks = ids.flatMap(id => {
    const row = at.get(id);
    return row === undefined ? [] : [[table, row] as const];
  });
  return assemble(picks, table);
}

/** The keys of metrics, the most frequent first. */
export function metricKeys(table: RunTable): string[] {
  const counted = table.columns
    .filter(column => column.kind === 'metric')
    .map(column => {
      const count = column.values.reduce<number>((n, v) => (v === null ? n : n + 1), 0);
      return [column.key, count] as const;
    });
  counted.sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return counted.map(([key]) => key);
}
