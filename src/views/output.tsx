/** A view in the output of a cell: alive from the server by run ids, without a kernel. */
import * as React from 'react';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Panel, Widget } from '@lumino/widgets';
import { html } from '../components/dom';
import { useModel } from '../components/hooks';
import { ReactBox } from '../components/reactBox';
import { RunTableView } from '../components/runTable';
import { onScreen } from '../components/visibility';
import { CompareModel } from '../models/compare';
import type { IContext } from '../models/context';
import { specToJson } from '../models/parcoords/spec';
import { RunPageModel } from '../models/runPage';
import { RunSetModel } from '../models/runSet';
import { Selection } from '../models/selection';
import { nextSort, sortRows, type Sort } from '../models/sorting';
import { parseView, VIEW_MIME, type ViewSpec } from '../models/viewSpec';
import { Cards } from './card';
import { CompareBar } from './compareTable';
import { PlotWidget } from './plotWidget';
import { RunPage } from './runView';
import { defaultColumns } from './runsView';

interface Living {
  readonly widgets: readonly Widget[];
  readonly model: RunSetModel | RunPageModel;
  dispose(): void;
}

function Runs(props: {
  model: RunSetModel;
  columns: readonly string[];
  context: IContext;
}): React.ReactElement {
  const { model, context } = props;
  useModel(model);
  const [selection] = React.useState(() => new Selection());
  const [sort, setSort] = React.useState<Sort | null>(null);
  const [hovered, setHovered] = React.useState<string | null>(null);
  const { table } = model;
  const columns = props.columns.length ? props.columns : defaultColumns(table);
  const rows = sortRows(table, [...table.ids.keys()], sort);
  const onSort = (id: string): void => setSort(nextSort(sort, id));
  return (
    <div style={{ height: Math.min(380, 30 + 28 * rows.length + 14) }}>
      <RunTableView
        {...{ table, rows, columns, sort, selection, hovered, context, onSort }}
        onHover={setHovered}
      />
    </div>
  );
}

function compare(view: ViewSpec, model: RunSetModel, context: IContext): Living {
  const comparison = new CompareModel(model, view.compare);
  const open = (
    <button
      type="button"
      className="mltrack-Link"
      onClick={() => context.act.compare(view.runIds, specToJson(comparison.spec))}
    >
      {context.trans.__('Open in a Tab')}
    </button>
  );
  const bar = <CompareBar model={comparison} context={context} />;
  const foot = (
    <div className="mltrack-Output-foot">
      {bar}
      {open}
    </div>
  );
  return {
    model,
    widgets: [new PlotWidget(comparison, context), new ReactBox(foot, 'mltrack-Foot')],
    dispose: () => comparison.dispose()
  };
}

function enliven(view: ViewSpec, context: IContext): Living {
  if (view.kind === 'run') {
    const page = new RunPageModel(view.runIds[0] ?? '', context.client, context.feed);
    const element = <RunPage model={page} context={context} />;
    const widgets = [new ReactBox(element, 'mltrack-Output-page')];
    return { model: page, widgets, dispose: () => page.dispose() };
  }
  const model = new RunSetModel(view.runIds, context.cache, context.feed);
  if (view.kind === 'compare') {
    return compare(view, model, context);
  }
  const element =
    view.kind === 'card' ? (
      <Cards model={model} context={context} />
    ) : (
      <Runs model={model} columns={view.columns} context={context} />
    );
  const widgets = [new ReactBox(element, 'mltrack-Output-rows')];
  return { model, widgets, dispose: () => model.dispose() };
}

/** Renders one output. */
export class ViewRenderer extends Panel implements IRenderMime.IRenderer {
  private readonly _note = new Widget();
  private readonly _body = new Panel();
  private _living: Living | null = null;
  private _rendered = '';
  private _stop: (() => void) | null = null;

  constructor(private readonly _context: IContext) {
    super();
    this.addClass('mltrack-Output');
    this.node.dataset.testid = 'mltrack-output';
    this._note.addClass('mltrack-Output-note');
    this._note.hide();
    this.addWidget(this._body);
    this.addWidget(this._note);
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const json = JSON.stringify(model.data[VIEW_MIME] ?? null);
    // An output is rendered again at each change of its cell: the view stays alive.
    if (json === this._rendered) {
      return Promise.resolve();
    }
    this._rendered = json;
    this._clear();
    const view = parseView(model.data[VIEW_MIME]);
    const saved = savedNodes(model.data);
    const { trans } = this._context;
    if (!view || view.runIds.length === 0) {
      this._explain(trans.__('This view needs another version of MLTrack.'), saved);
      return Promise.resolve();
    }
    const living = (this._living = enliven(view, this._context));
    living.widgets.forEach(widget => this._body.addWidget(widget));
    this._body.addClass(`mltrack-mod-${view.kind}`);
    living.model.changed.connect(() => this._check(living, saved));
    this._stop = onScreen(this.node, visible => living.model.setActive(visible));
    return Promise.resolve();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._clear();
    }
    super.dispose();
  }

  private _clear(): void {
    this._stop?.();
    this._stop = null;
    this._living?.dispose();
    this._living = null;
    [...this._body.widgets].forEach(widget => widget.dispose());
  }

  private _check(living: Living, saved: readonly Node[]): void {
    const { trans } = this._context;
    const { model } = living;
    const known =
      model instanceof RunPageModel ? model.run !== null : model.table.ids.length > 0;
    if (known) {
      this._note.hide();
      this._body.show();
    } else if (model.load.state === 'missing') {
      this._explain(
        trans.__('The tracking server is not here; this is what was saved.'),
        saved
      );
    } else if (model.load.state === 'error') {
      this._explain(model.load.message, saved);
    } else if (model.load.state === 'ready') {
      this._explain(
        trans.__('The store of this server does not have this run.'),
        saved
      );
    }
  }

  private _explain(reason: string, saved: readonly Node[]): void {
    const quiet = html('p', { class: 'mltrack-Quiet' }, reason);
    this._note.node.replaceChildren(quiet, ...saved);
    this._body.hide();
    this._note.show();
  }
}

/** What can be shown of a bundle without a server: its picture, else its text. */
function savedNodes(data: IRenderMime.IMimeModel['data']): Node[] {
  const png = data['image/png'];
  const text = String(data['text/plain'] ?? '');
  if (typeof png === 'string' && /^[A-Za-z0-9+/=\s]+$/.test(png)) {
    return [html('img', { src: `data:image/png;base64,${png}`, alt: text })];
  }
  return text ? [html('pre', {}, text)] : [];
}
