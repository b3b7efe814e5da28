/** The runs of the selected experiment. */
import * as React from 'react';
import { FilterBox } from '../components/filterBox';
import { useModel, useNow } from '../components/hooks';
import { FirstStep, LoadMessage } from '../components/message';
import { VirtualList } from '../components/virtualList';
import type { IContext } from '../models/context';
import { nest, type Placed } from '../models/nesting';
import type { SidebarModel } from '../models/sidebar';
import { metricKeys } from '../models/table';
import { RunRow } from './runRow';

/** What the parts of the section are given. */
export interface SectionProps {
  readonly model: SidebarModel;
  readonly context: IContext;
}

const ROW = 26;

function MetricSelect({ model, context }: SectionProps): React.ReactElement | null {
  const { runs } = model;
  const keys = metricKeys(runs.table);
  if (keys.length === 0) {
    return null;
  }
  return (
    <select
      className="mltrack-Input"
      data-testid="mltrack-metric-select"
      aria-label={context.trans.__('Metric beside each run')}
      title={context.trans.__('Metric beside each run')}
      value={runs.mainMetric}
      onChange={event => runs.setMainMetric(event.target.value)}
    >
      {keys.map(key => (
        <option key={key} value={key}>
          {key}
        </option>
      ))}
    </select>
  );
}

function Summary({ model, context }: SectionProps): React.ReactElement {
  const { table } = model.runs;
  const { trans } = context;
  const total = table.total ?? table.ids.length;
  const running = table.statuses.filter(status => status === 'RUNNING').length;
  const text = trans._n('%1 run', '%1 runs', total);
  return (
    <span className="mltrack-Quiet" role="status" data-testid="mltrack-run-count">
      {running ? `${text}, ${trans.__('%1 running', running)}` : text}
    </span>
  );
}

function Actions({ model, context }: SectionProps): React.ReactElement {
  const { trans, act } = context;
  useModel(model.selection);
  const ids = [...model.selection.ids];
  return (
    <div className="mltrack-Actions">
      <button
        type="button"
        className="mltrack-Button mltrack-mod-accept"
        data-testid="mltrack-compare-button"
        disabled={ids.length < 2}
        title={trans.__('Compare the selected runs')}
        onClick={() => act.compare(ids)}
      >
        {ids.length > 1 ? trans.__('Compare (%1)', ids.length) : trans.__('Compare')}
      </button>
      <button
        type="button"
        className="mltrack-Button"
        data-testid="mltrack-register-button"
        disabled={ids.length !== 1}
        title={trans.__('Register the model of the selected run')}
        onClick={() => act.register(ids[0])}
      >
        {trans.__('Register')}
      </button>
      <button
        type="button"
        className="mltrack-Button"
        data-testid="mltrack-table-button"
        title={trans.__('Show these runs as a table')}
        disabled={!model.experimentId}
        onClick={() => act.openRuns(model.experimentId)}
      >
        {trans.__('Table')}
      </button>
    </div>
  );
}

function useRowKeys(
  { model, context }: SectionProps,
  placed: readonly Placed[]
): (event: React.KeyboardEvent, index: number) => void {
  return (event, index) => {
    const { table } = model.runs;
    const order = placed.map(place => table.ids[place.row]);
    const runId = order[index];
    if (runId === undefined) {
      return;
    }
    if (event.key === 'Enter') {
      context.act.openRun(runId);
    } else if (event.key === ' ') {
      model.selection.toggle(runId);
    } else if (event.key.startsWith('Arrow') && event.shiftKey) {
      model.selection.extend(runId, order);
    } else if (event.key === 'Escape') {
      model.selection.clear();
    } else {
      return;
    }
    event.preventDefault();
  };
}

function RunRows(props: SectionProps): React.ReactElement {
  const { model, context } = props;
  const { table, mainMetric } = model.runs;
  useModel(model.selection);
  const now = useNow(30_000);
  const [active, setActive] = React.useState(0);
  const prefix = React.useId();
  const placed = React.useMemo(() => nest(table), [table]);
  const onKey = useRowKeys(props, placed);
  const onEnd = React.useCallback(() => void model.runs.more(), [model]);
  const select = (runId: string, how: 'only' | 'toggle' | 'extend'): void => {
    const order = placed.map(place => table.ids[place.row]);
    setActive(order.indexOf(runId));
    if (how === 'extend') {
      model.selection.extend(runId, order);
    } else {
      model.selection[how](runId);
    }
  };
  return (
    <VirtualList
      count={placed.length}
      rowHeight={ROW}
      label={context.trans.__('Runs')}
      testId="mltrack-runs"
      multiple
      active={active}
      rowId={index => prefix + table.ids[placed[index].row]}
      onActive={setActive}
      onKey={onKey}
      onEnd={onEnd}
      row={index => (
        <RunRow
          {...placed[index]}
          id={prefix + table.ids[placed[index].row]}
          table={table}
          metric={mainMetric}
          now={now}
          active={index === active}
          selected={model.selection.ids.has(table.ids[placed[index].row])}
          context={context}
          onSelect={select}
        />
      )}
    />
  );
}

/** The section. */
export function RunsSection(props: SectionProps): React.ReactElement {
  const { model, context } = props;
  const { runs } = model;
  useModel(model, runs);
  const onFilter = React.useCallback(
    (filter: string) => void model.setFilter(filter),
    [model]
  );
  if (model.load.state !== 'ready' || !model.experimentId) {
    return model.load.state === 'ready' ? (
      <FirstStep trans={context.trans} />
    ) : (
      <LoadMessage
        load={model.load}
        trans={context.trans}
        retry={() => void model.refresh()}
      />
    );
  }
  const filtered = Boolean(runs.query?.filter);
  const empty = runs.load.state === 'ready' && runs.table.ids.length === 0;
  return (
    <div className="mltrack-Runs">
      {(filtered || !empty) && (
        <FilterBox
          value={runs.query?.filter ?? ''}
          error={runs.filterError}
          trans={context.trans}
          onChange={onFilter}
        />
      )}
      {!empty && (
        <div className="mltrack-Runs-bar">
          <Summary {...props} />
          <MetricSelect {...props} />
        </div>
      )}
      {empty && !filtered && <FirstStep trans={context.trans} />}
      {empty && filtered && !runs.filterError && (
        <p className="mltrack-Quiet">
          {context.trans.__('No run matches the filter.')}
        </p>
      )}
      <LoadMessage
        load={runs.load}
        trans={context.trans}
        retry={() => void runs.reload()}
      />
      {!empty && <RunRows {...props} />}
      {!empty && <Actions {...props} />}
    </div>
  );
}
