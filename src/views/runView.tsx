/** The page of a run. */
import * as React from 'react';
import { PageConfig } from '@jupyterlab/coreutils';
import type { Message } from '@lumino/messaging';
import { Artifacts } from '../components/artifacts';
import { useModel, useNow } from '../components/hooks';
import { LoadMessage } from '../components/message';
import { ReactBox } from '../components/reactBox';
import { StatusIcon } from '../components/status';
import { pathBelow } from '../models/artifact';
import type { IContext } from '../models/context';
import { duration, statusWord } from '../models/format';
import { RunPageModel } from '../models/runPage';
import { REASON_TAG } from '../models/tags';
import {
  Metrics,
  Model,
  Params,
  Part,
  Tags,
  Texts,
  type RunPartProps
} from './runSections';

function Source({ model, context }: RunPartProps): React.ReactElement {
  const { trans, act } = context;
  const notebook = model.tag('mltrack.notebook.path');
  const source = notebook || model.tag('mlflow.source.name');
  const below = pathBelow(PageConfig.getOption('serverRoot'), notebook);
  const count = model.tag('mltrack.execution_count');
  const commit = model.tag('mlflow.source.git.commit').slice(0, 10);
  const dirty = model.tag('mltrack.git.dirty').toLowerCase() === 'true';
  return (
    <>
      {below !== null ? (
        <button
          type="button"
          className="mltrack-Link"
          data-testid="mltrack-open-notebook"
          onClick={() => act.openNotebook(below)}
        >
          {notebook}
        </button>
      ) : (
        source && <span>{source}</span>
      )}
      {count && <span>{trans.__('cell [%1]', count)}</span>}
      {commit && (
        <span>
          {trans.__('commit')} <code>{commit}</code>
          {dirty ? ` ${trans.__('with uncommitted changes')}` : ''}
        </span>
      )}
    </>
  );
}

function Header(props: RunPartProps): React.ReactElement | null {
  const { model, context } = props;
  const { trans, act } = context;
  const info = model.run?.info;
  const now = useNow(info?.status === 'RUNNING' ? 1000 : 60_000);
  if (!info) {
    return null;
  }
  const start = info.start_time ?? now;
  const experimentId = info.experiment_id;
  const reason = model.tag(REASON_TAG);
  return (
    <header>
      <h1>
        <StatusIcon status={info.status} trans={trans} reason={reason} />
        {info.run_name || model.runId}
      </h1>
      <p className="mltrack-RunPage-facts">
        <span role="status" data-testid="mltrack-run-status">
          {statusWord(info.status, trans)}
        </span>
        {reason && <span data-testid="mltrack-run-reason">{reason}</span>}
        <span>{duration((info.end_time ?? now) - start)}</span>
        <span>{new Date(start).toLocaleString()}</span>
        <button
          type="button"
          className="mltrack-Link"
          onClick={() => act.openRuns(experimentId)}
        >
          {model.experiment || experimentId}
        </button>
        {info.user_id && <span>{info.user_id}</span>}
        <Source {...props} />
        <code title={trans.__('Run id')}>{model.runId}</code>
      </p>
    </header>
  );
}

/** The page, also inside a notebook output. */
export function RunPage(props: RunPartProps): React.ReactElement {
  const { model, context } = props;
  const { trans } = context;
  useModel(model);
  if (!model.run) {
    return (
      <LoadMessage load={model.load} trans={trans} retry={() => void model.reload()} />
    );
  }
  return (
    <div
      className="mltrack-RunPage"
      data-testid="mltrack-run-page"
      data-run-id={model.runId}
    >
      <Header {...props} />
      <div className="mltrack-RunPage-columns">
        <div>
          <Metrics {...props} />
          <Params {...props} />
          <Tags {...props} />
        </div>
        <div>
          <Model {...props} />
          <Part title={trans.__('Artifacts')} testId="mltrack-run-artifacts">
            <Artifacts {...props} />
          </Part>
        </div>
      </div>
      <Texts {...props} />
    </div>
  );
}

/** The page in the main area. */
export class RunView extends ReactBox {
  private readonly _model: RunPageModel;

  constructor(
    readonly runId: string,
    context: IContext
  ) {
    const model = new RunPageModel(runId, context.client, context.feed);
    super(<RunPage model={model} context={context} />, 'mltrack-View');
    this._model = model;
    model.changed.connect(() => this._entitle());
  }

  override dispose(): void {
    this._model.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.setActive(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.setActive(this.isVisible);
  }

  protected override onBeforeHide(message: Message): void {
    this._model.setActive(false);
    super.onBeforeHide(message);
  }

  private _entitle(): void {
    // The tab is that of the widget which frames this view.
    const frame = this.parent;
    if (frame && this._model.run) {
      frame.title.label = this._model.run.info.run_name || this.runId.slice(0, 8);
    }
  }
}
