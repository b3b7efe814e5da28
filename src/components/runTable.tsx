/** Runs as a table: sorted by a click, drawn as far as it is in sight. */
import * as React from 'react';
import type { IContext } from '../models/context';
import { age, cellText, duration } from '../models/format';
import type { Selection } from '../models/selection';
import { cellsOf, type Sort } from '../models/sorting';
import type { RunTable } from '../models/table';
import { useModel, useNow } from './hooks';
import { StatusIcon } from './status';
import { VirtualList } from './virtualList';

/** What a table needs. */
export interface RunTableProps {
  readonly table: RunTable;
  /** The rows to show, in order. */
  readonly rows: readonly number[];
  /** Columns in MLflow's grammar, after the name. */
  readonly columns: readonly string[];
  readonly sort: Sort | null;
  readonly selection: Selection;
  readonly hovered: string | null;
  readonly context: IContext;
  onSort(id: string): void;
  onHover(runId: string | null): void;
  onEnd?(): void;
}

const ROW = 28;
const NAME = 'attributes.run_name';

function widthOf(id: string): number {
  return id === NAME ? 210 : Math.min(200, Math.max(84, 26 + 8 * label(id).length));
}

/** What a column is called: the attribute's word, or the key as it was logged. */
function label(id: string): string {
  return id.slice(id.indexOf('.') + 1);
}

function Header(props: RunTableProps & { ids: readonly string[] }): React.ReactElement {
  const { sort, context } = props;
  const words: Record<string, string> = {
    [NAME]: context.trans.__('Run'),
    'attributes.start_time': context.trans.__('Started'),
    'attributes.duration': context.trans.__('Duration')
  };
  const state = (id: string): 'none' | 'descending' | 'ascending' =>
    sort?.id !== id ? 'none' : sort.descending ? 'descending' : 'ascending';
  return (
    <div className="mltrack-Table-head" role="row">
      {props.ids.map(id => (
        <div
          key={id}
          role="columnheader"
          aria-sort={state(id)}
          style={{ width: widthOf(id) }}
        >
          <button
            type="button"
            className="mltrack-Plain"
            data-testid="mltrack-column"
            data-key={id}
            title={id}
            onClick={() => props.onSort(id)}
          >
            {words[id] ?? label(id)}
            <span aria-hidden="true">
              {{ none: '', descending: ' ↓', ascending: ' ↑' }[state(id)]}
            </span>
          </button>
        </div>
      ))}
    </div>
  );
}

function text(
  table: RunTable,
  row: number,
  id: string,
  context: IContext,
  now: number
): string {
  if (id === 'attributes.start_time') {
    return age(table.starts[row], now, context.trans);
  }
  if (id === 'attributes.duration') {
    return duration((table.ends[row] ?? now) - table.starts[row]);
  }
  const cell = cellsOf(table, id)[row];
  return cellText(cell, id.startsWith('metrics.') ? 'metric' : 'param');
}

function Row(
  props: RunTableProps & { at: number; id: string; ids: readonly string[]; now: number }
): React.ReactElement {
  const { table, at, context, selection } = props;
  const runId = table.ids[at];
  const selected = selection.ids.has(runId);
  const order = (): string[] => props.rows.map(row => table.ids[row]);
  return (
    <div
      id={props.id}
      className={`mltrack-Table-row${props.hovered === runId ? ' mltrack-mod-hovered' : ''}`}
      role="row"
      aria-selected={selected}
      data-testid="mltrack-table-row"
      data-run-id={runId}
      onPointerEnter={() => props.onHover(runId)}
      onPointerLeave={() => props.onHover(null)}
      onClick={event =>
        event.shiftKey ? selection.extend(runId, order()) : selection.toggle(runId)
      }
      onDoubleClick={() => context.act.openRun(runId)}
    >
      <div role="gridcell" style={{ width: widthOf(NAME) }}>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-hidden="true"
          checked={selected}
          readOnly
        />
        <StatusIcon status={table.statuses[at]} trans={context.trans} />
        <button
          type="button"
          className="mltrack-Link"
          tabIndex={-1}
          onClick={event => {
            event.stopPropagation();
            context.act.openRun(runId);
          }}
        >
          {table.names[at] || runId}
        </button>
      </div>
      {props.ids.slice(1).map(id => {
        const value = text(table, at, id, context, props.now);
        return (
          <div key={id} role="gridcell" style={{ width: widthOf(id) }} title={value}>
            {value}
          </div>
        );
      })}
    </div>
  );
}

/** The table. */
export function RunTableView(props: RunTableProps): React.ReactElement {
  const { table, rows, selection, context } = props;
  useModel(selection);
  const now = useNow(30_000);
  const [active, setActive] = React.useState(0);
  const prefix = React.useId();
  const ids = React.useMemo(() => [NAME, ...props.columns], [props.columns]);
  const rowId = (index: number): string => prefix + table.ids[rows[index]];
  return (
    <VirtualList
      role="grid"
      multiple
      count={rows.length}
      rowHeight={ROW}
      width={ids.reduce((sum, id) => sum + widthOf(id), 0)}
      label={context.trans.__('Runs')}
      testId="mltrack-table"
      header={<Header {...props} ids={ids} />}
      active={active}
      rowId={rowId}
      onActive={index => {
        setActive(index);
        props.onHover(table.ids[rows[index]] ?? null);
      }}
      onKey={(event, index) => {
        const runId = table.ids[rows[index]];
        // Keys of a header's button are its own.
        if (runId === undefined || event.target !== event.currentTarget) {
          return;
        }
        if (event.key === 'Enter') {
          context.act.openRun(runId);
        } else if (event.key === ' ') {
          event.preventDefault();
          selection.toggle(runId);
        }
      }}
      onEnd={props.onEnd}
      row={index => (
        <Row {...props} at={rows[index]} id={rowId(index)} ids={ids} now={now} />
      )}
    />
  );
}
