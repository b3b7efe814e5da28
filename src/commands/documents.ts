/** The widgets of the main area: opened once, found again, restored after a reload. */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { UUID } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';
import { mltrackIcon } from '../components/icons';
import type { IContext } from '../models/context';
import { CompareView, type CompareArgs } from '../views/compareView';
import { RunsView, type RunsArgs } from '../views/runsView';
import { RunView } from '../views/runView';
import { CommandIDs } from './ids';

type Framed<T extends Widget> = MainAreaWidget<T>;

/** Changes of a view are kept this long after the last, in milliseconds. */
const KEEP_MS = 1000;

/** Opens our documents. */
export class Documents {
  private readonly _runs = new WidgetTracker<Framed<RunView>>({
    namespace: 'mltrack-run'
  });
  private readonly _tables = new WidgetTracker<Framed<RunsView>>({
    namespace: 'mltrack-runs'
  });
  private readonly _comparisons = new WidgetTracker<Framed<CompareView>>({
    namespace: 'mltrack-compare'
  });
  private readonly _tableArgs = new WeakMap<Widget, RunsArgs>();

  constructor(
    private readonly _app: JupyterFrontEnd,
    private readonly _context: IContext
  ) {}

  /** Open what was open when the page was left. */
  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._runs, {
      command: CommandIDs.openRun,
      args: widget => ({ runId: widget.content.runId }),
      name: widget => widget.content.runId
    });
    void restorer.restore(this._tables, {
      command: CommandIDs.openRuns,
      args: widget => ({ ...this._tableArgs.get(widget) }),
      name: widget => widget.id
    });
    void restorer.restore(this._comparisons, {
      command: CommandIDs.compareRuns,
      args: widget => ({ ...widget.content.args, id: widget.id }),
      name: widget => widget.id
    });
  }

  /** Open the page of a run, or bring it to the front. */
  openRun(runId: string): Widget {
    const id = `mltrack-run-${runId}`;
    const open = this._runs.find(widget => widget.id === id);
    return open
      ? this._front(open)
      : this._show(
          new RunView(runId, this._context),
          id,
          runId.slice(0, 8),
          this._runs
        );
  }

  /** Open the table of an experiment's runs, or bring it to the front. */
  openRuns(args: RunsArgs): Widget {
    const id = `mltrack-runs-${args.experimentId ?? 'all'}`;
    const open = this._tables.find(widget => widget.id === id);
    if (open) {
      return this._front(open);
    }
    const { trans, client } = this._context;
    const view = new RunsView(args, this._context);
    const widget = this._show(view, id, trans.__('Runs'), this._tables, frame =>
      this._tableArgs.set(frame, args)
    );
    if (args.experimentId) {
      client.experiment(args.experimentId).then(
        ({ name }) => (widget.title.label = trans.__('Runs: %1', name)),
        () => undefined
      );
    }
    return widget;
  }

  /** Compare runs in a new tab. */
  compare(args: CompareArgs, id = `mltrack-compare-${UUID.uuid4()}`): Widget {
    const { trans } = this._context;
    const count = args.runIds?.length;
    const title = count ? trans.__('Compare %1 Runs', count) : trans.__('Compare Runs');
    const view = new CompareView(args, this._context);
    const widget = this._show(view, id, title, this._comparisons);
    let timer: ReturnType<typeof setTimeout> | undefined;
    view.model.changed.connect(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (!widget.isDisposed) {
          void this._comparisons.save(widget);
        }
      }, KEEP_MS);
    });
    return widget;
  }

  private _show<T extends Widget>(
    content: T,
    id: string,
    label: string,
    tracker: WidgetTracker<Framed<T>>,
    before?: (frame: Framed<T>) => void
  ): Framed<T> {
    const frame = new MainAreaWidget({ content });
    frame.id = id;
    frame.title.label = label;
    frame.title.caption = label;
    frame.title.icon = mltrackIcon;
    frame.title.closable = true;
    // Our views bring their own bars.
    frame.toolbar.hide();
    before?.(frame);
    void tracker.add(frame);
    this._app.shell.add(frame, 'main');
    return this._front(frame);
  }

  private _front<T extends Widget>(widget: T): T {
    this._app.shell.activateById(widget.id);
    return widget;
  }
}
