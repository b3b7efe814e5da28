/** One run in the sidebar. */
import * as React from 'react';
import { StatusIcon } from '../components/status';
import type { IContext } from '../models/context';
import { age, cellText, statusWord, withReason } from '../models/format';
import { findColumn, tagOf, type RunTable } from '../models/table';
import { REASON_TAG } from '../models/tags';

/** What a row needs. */
export interface RunRowProps {
  readonly id: string;
  readonly table: RunTable;
  readonly row: number;
  readonly depth: number;
  readonly metric: string;
  readonly now: number;
  readonly selected: boolean;
  readonly active: boolean;
  readonly context: IContext;
  onSelect(runId: string, how: 'only' | 'toggle' | 'extend'): void;
}

function describe(props: RunRowProps): string {
  const { table, row, context } = props;
  const name = table.names[row] || table.ids[row];
  const hint = context.trans.__('Double-click to open');
  const word = statusWord(table.statuses[row], context.trans);
  const status = withReason(word, tagOf(table, row, REASON_TAG));
  return `${name}\n${status}\n${table.ids[row]}\n${hint}`;
}

/** The row. */
export function RunRow(props: RunRowProps): React.ReactElement {
  const { table, row, context, metric, onSelect } = props;
  const runId = table.ids[row];
  const value = findColumn(table, `metrics.${metric}`)?.values[row];
  const onClick = (event: React.MouseEvent): void =>
    onSelect(
      runId,
      event.shiftKey ? 'extend' : event.ctrlKey || event.metaKey ? 'toggle' : 'only'
    );
  const onBox = (event: React.MouseEvent): void => {
    event.stopPropagation();
    onSelect(runId, event.shiftKey ? 'extend' : 'toggle');
  };
  const classes = ['mltrack-RunRow', props.active ? 'mltrack-mod-active' : ''];
  return (
    <div
      id={props.id}
      className={classes.join(' ')}
      role="option"
      aria-selected={props.selected}
      data-testid="mltrack-run-row"
      data-run-id={runId}
      data-has-model={tagOf(table, row, 'mltrack.model') ? 'true' : undefined}
      title={describe(props)}
      onClick={onClick}
      onDoubleClick={() => context.act.openRun(runId)}
      style={{ paddingInlineStart: 6 + props.depth * 14 }}
    >
      {/* The row itself is the option; the box only shows and toggles it with the mouse. */}
      <input
        type="checkbox"
        tabIndex={-1}
        aria-hidden="true"
        checked={props.selected}
        readOnly
        data-testid="mltrack-run-checkbox"
        onClick={onBox}
        onDoubleClick={event => event.stopPropagation()}
      />
      <StatusIcon
        status={table.statuses[row]}
        trans={context.trans}
        reason={tagOf(table, row, REASON_TAG)}
      />
      <span className="mltrack-RunRow-name">{table.names[row] || runId}</span>
      <span className="mltrack-RunRow-metric">{cellText(value, 'metric')}</span>
      <span className="mltrack-RunRow-age">
        {age(table.starts[row], props.now, context.trans)}
      </span>
    </div>
  );
}
