/** What a card says about a run. */
import { cellText, duration } from './format';
import { jsonOf, REASON_TAG } from './tags';
import { metricKeys, tagOf, type RunTable } from './table';

/** A key with its value, and whether it was inferred from the cell. */
export interface Fact {
  readonly key: string;
  readonly value: string;
  readonly inferred: boolean;
}

/** The facts of one run. */
export interface CardFacts {
  readonly runId: string;
  readonly name: string;
  readonly status: string;
  readonly experimentId: string;
  readonly duration: string;
  readonly metrics: readonly Fact[];
  readonly params: readonly Fact[];
  readonly hasModel: boolean;
  readonly warnings: string;
  /** Why the run has its status; empty if that goes without saying. */
  readonly reason: string;
}

interface Inferred {
  readonly params: readonly string[];
  readonly metrics: readonly string[];
}

/** Read the tag that lists what was inferred; anything else means nothing was. */
export function parseInferred(tag: string): Inferred {
  const lists = jsonOf(tag);
  const read = (name: string): string[] =>
    Array.isArray(lists[name]) ? (lists[name] as unknown[]).map(String) : [];
  return { params: read('params'), metrics: read('metrics') };
}

/** Gather the facts of a row; `now` is for a run that still goes on. */
export function cardFacts(table: RunTable, row: number, now: number): CardFacts {
  const inferred = parseInferred(tagOf(table, row, 'mltrack.inferred'));
  const order = metricKeys(table);
  const facts = (kind: 'param' | 'metric', marked: readonly string[]): Fact[] =>
    table.columns
      .filter(column => column.kind === kind && column.values[row] !== null)
      .map(({ key, values }) => ({
        key,
        value: cellText(values[row], kind),
        inferred: marked.includes(key)
      }));
  const metrics = facts('metric', inferred.metrics);
  metrics.sort((a, b) => order.indexOf(a.key) - order.indexOf(b.key));
  return {
    runId: table.ids[row],
    name: table.names[row] || table.ids[row],
    status: table.statuses[row],
    experimentId: table.experimentIds[row],
    duration: duration((table.ends[row] ?? now) - table.starts[row]),
    metrics,
    // What somebody wrote down comes first, then what was found, in the order of the cell.
    params: facts('param', inferred.params).sort(
      (a, b) => inferred.params.indexOf(a.key) - inferred.params.indexOf(b.key)
    ),
    hasModel: tagOf(table, row, 'mltrack.model') !== '',
    warnings: tagOf(table, row, 'mltrack.warnings'),
    reason: tagOf(table, row, REASON_TAG)
  };
}
