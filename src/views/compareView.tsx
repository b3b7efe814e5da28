/** The comparison in the main area: filter and actions, plot, table. */
import * as React from 'react';
import type { Message } from '@lumino/messaging';
import { BoxLayout, SplitPanel, Widget } from '@lumino/widgets';
import { useModel } from '../components/hooks';
import { ReactBox } from '../components/reactBox';
import { CompareModel } from '../models/compare';
import type { IContext } from '../models/context';
import { parseSpec, specToJson, type CompareSpecJson } from '../models/parcoords/spec';
import { RunListModel, type RunQuery } from '../models/runList';
import { CompareBar, CompareTable } from './compareTable';
import { PlotWidget } from './plotWidget';

/** Which comparison; also what is kept to open it again. */
export type CompareArgs = {
  readonly runIds?: readonly string[];
  readonly experimentIds?: readonly string[];
  readonly filter?: string;
  readonly spec?: CompareSpecJson;
};

/** So many runs are read; the plot stays fluent up to there. */
const MOST = 10_000;

function Bar(props: {
  model: CompareModel;
  list: RunListModel;
  context: IContext;
}): React.ReactElement {
  const { model, list, context } = props;
  useModel(list);
  const query = list.query;
  const onChange = React.useCallback(
    (filter: string) => void (list.query && list.setQuery({ ...list.query, filter })),
    [list]
  );
  const filter = { value: query?.filter ?? '', error: list.filterError, onChange };
  return <CompareBar model={model} context={context} filter={filter} />;
}

/** The comparison. */
export class CompareView extends Widget {
  private readonly _model: CompareModel;
  private readonly _list: RunListModel;
  private readonly _fixed: boolean;

  constructor(args: CompareArgs, context: IContext) {
    super();
    this.addClass('mltrack-CompareView');
    this.node.dataset.testid = 'mltrack-compare';
    const { client, feed } = context;
    this._fixed = args.runIds !== undefined;
    this._list = new RunListModel({ client, feed, pageSize: 1000, eager: MOST });
    this._model = new CompareModel(this._list, parseSpec(args.spec));
    const layout = (this.layout = new BoxLayout({
      direction: 'top-to-bottom',
      spacing: 0
    }));
    const split = new SplitPanel({ orientation: 'vertical' });
    const table = <CompareTable model={this._model} context={context} />;
    split.addWidget(new PlotWidget(this._model, context));
    split.addWidget(new ReactBox(table, 'mltrack-View-table'));
    split.setRelativeSizes([3, 2]);
    const bar = <Bar model={this._model} list={this._list} context={context} />;
    const head = new ReactBox(bar, 'mltrack-View-bar');
    layout.addWidget(head);
    layout.addWidget(split);
    BoxLayout.setStretch(head, 0);
    BoxLayout.setStretch(split, 1);
    BoxLayout.setSizeBasis(head, 40);
    const query: RunQuery = { filter: args.filter ?? '', orderBy: '', ...ids(args) };
    void this._list.setQuery(query);
  }

  /** The model, whose changes are worth keeping. */
  get model(): CompareModel {
    return this._model;
  }

  /** What opens this comparison again. */
  get args(): CompareArgs {
    const query = this._list.query;
    const spec = specToJson(this._model.spec);
    const filter = query?.filter ? { filter: query.filter } : {};
    return this._fixed
      ? { runIds: query?.runIds, ...filter, spec }
      : { experimentIds: query?.experimentIds, ...filter, spec };
  }

  override dispose(): void {
    this._model.dispose();
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

function ids(args: CompareArgs): Partial<RunQuery> {
  if (args.runIds) {
    return { runIds: args.runIds };
  }
  return args.experimentIds ? { experimentIds: args.experimentIds } : {};
}
