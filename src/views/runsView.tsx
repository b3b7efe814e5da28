/** The runs of an experiment as a table in the main area, page by page. */
import * as React from 'react';
import type { Message } from '@lumino/messaging';
import { FilterBox } from '../components/filterBox';
import { useModel } from '../components/hooks';
import { FirstStep, LoadMessage } from '../components/message';
import { ReactBox } from '../components/reactBox';
import { RunTableView } from '../components/runTable';
import type { IContext } from '../models/context';
import { buildAxes, varies } from '../models/parcoords/axis';
import { RunListModel } from '../models/runList';
import { Selection } from '../models/selection';
import { nextSort, type Sort } from '../models/sorting';
import type { RunTable } from '../models/table';

/** Which table; also what is kept to open it again. */
export interface RunsArgs {
  readonly experimentId?: string;
  readonly filter?: string;
}

/** More columns than this are found by comparing. */
const MOST = 30;
const ATTRIBUTES = ['attributes.start_time', 'attributes.duration'];

/** The columns of a table when nobody chose any: what varies, params before metrics. */
export function defaultColumns(table: RunTable): string[] {
  const axes = buildAxes(table).filter(a => a.kind === 'param' || a.kind === 'metric');
  const differing = axes.filter(varies);
  const shown = differing.length ? differing : axes;
  return [...ATTRIBUTES, ...shown.slice(0, MOST).map(axis => axis.id)];
}

function parseOrder(order: string): Sort | null {
  const match = /^(.*) (ASC|DESC)$/.exec(order);
  return match
    ? { id: match[1].replace(/`/g, ''), descending: match[2] === 'DESC' }
    : null;
}

/** An order in MLflow's grammar; keys may hold spaces and dashes, hence the backticks. */
function orderOf(sort: Sort | null): string {
  if (!sort) {
    return '';
  }
  const dot = sort.id.indexOf('.');
  const [kind, key] = [sort.id.slice(0, dot), sort.id.slice(dot + 1)];
  const name = /^\w+$/.test(key) ? key : `\`${key}\``;
  return `${kind}.${name} ${sort.descending ? 'DESC' : 'ASC'}`;
}

function Bar(props: {
  list: RunListModel;
  selection: Selection;
  context: IContext;
}): React.ReactElement {
  const { list, selection, context } = props;
  const { trans, act } = context;
  useModel(selection);
  const onFilter = React.useCallback(
    (filter: string) => void (list.query && list.setQuery({ ...list.query, filter })),
    [list]
  );
  const ids = [...selection.ids];
  const total = list.table.total ?? list.table.ids.length;
  return (
    <div className="mltrack-CompareBar">
      <FilterBox
        value={list.query?.filter ?? ''}
        error={list.filterError}
        trans={trans}
        onChange={onFilter}
      />
      <span className="mltrack-Quiet" role="status">
        {trans._n('%1 run', '%1 runs', total)}
      </span>
      <button
        type="button"
        className="mltrack-Button mltrack-mod-accept"
        data-testid="mltrack-compare-button"
        disabled={ids.length < 2}
        onClick={() => act.compare(ids)}
      >
        {ids.length > 1 ? trans.__('Compare (%1)', ids.length) : trans.__('Compare')}
      </button>
    </div>
  );
}

function RunsTable(props: {
  list: RunListModel;
  selection: Selection;
  context: IContext;
}): React.ReactElement {
  const { list, selection, context } = props;
  useModel(list);
  const [hovered, setHovered] = React.useState<string | null>(null);
  const { table, query } = list;
  const sort = parseOrder(query?.orderBy ?? '');
  const columns = React.useMemo(() => defaultColumns(table), [table]);
  const rows = React.useMemo(() => table.ids.map((_, row) => row), [table]);
  const onEnd = React.useCallback(() => void list.more(), [list]);
  const onSort = (id: string): void => {
    // The server sorts, for it has the pages that are not here. It knows no durations.
    if (query && id !== 'attributes.duration') {
      void list.setQuery({ ...query, orderBy: orderOf(nextSort(sort, id)) });
    }
  };
  const empty = list.load.state === 'ready' && !rows.length && !query?.filter;
  return (
    <div className="mltrack-RunsView">
      <Bar {...props} />
      <LoadMessage
        load={list.load}
        trans={context.trans}
        retry={() => void list.reload()}
      />
      {empty ? (
        <FirstStep trans={context.trans} />
      ) : (
        <RunTableView
          {...{
            table,
            rows,
            columns,
            sort,
            selection,
            hovered,
            context,
            onSort,
            onEnd
          }}
          onHover={setHovered}
        />
      )}
    </div>
  );
}

/** The table. */
export class RunsView extends ReactBox {
  private readonly _list: RunListModel;

  constructor(args: RunsArgs, context: IContext) {
    const { client, feed } = context;
    const list = new RunListModel({ client, feed, pageSize: 300 });
    const selection = new Selection();
    super(
      <RunsTable list={list} selection={selection} context={context} />,
      'mltrack-View'
    );
    this._list = list;
    this.node.dataset.testid = 'mltrack-runs-view';
    const experimentIds = args.experimentId ? [args.experimentId] : undefined;
    void list.setQuery({ experimentIds, filter: args.filter ?? '', orderBy: '' });
  }

  override dispose(): void {
    this._list.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._list.setActive(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._list.setActive(this.isVisible);
  }

  protected override onBeforeHide(message: Message): void {
    this._list.setActive(false);
    super.onBeforeHide(message);
  }
}
