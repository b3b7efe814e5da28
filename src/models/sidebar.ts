/** What the sidebar shows: experiments, the runs of one of them, registered models. */
import type { TrackingClient } from '../api/client';
import type { Change, Experiment } from '../api/types';
import { Refresher, type Batch, type IFeed } from './live';
import { ModelListModel } from './modelList';
import { failed, LOADING, Observable, READY, type Load } from './observable';
import { RunListModel } from './runList';
import { Selection } from './selection';

/** The model of the sidebar. */
export class SidebarModel extends Observable {
  /** The runs of the experiment that is selected. */
  readonly runs: RunListModel;
  /** Registered models. */
  readonly models: ModelListModel;
  /** The runs that are ticked. */
  readonly selection = new Selection();
  private readonly _refresher: Refresher;
  private _experiments: Experiment[] = [];
  private _load: Load = LOADING;
  private _experimentId = '';
  private _pinned = false;
  private _started = false;

  constructor(
    private readonly _client: TrackingClient,
    feed: IFeed
  ) {
    super();
    this.runs = new RunListModel({ client: _client, feed, pageSize: 300 });
    this.models = new ModelListModel(_client, feed);
    this._refresher = new Refresher({
      feed,
      wants: change => this._wants(change),
      refresh: batch => this._refresh(batch)
    });
  }

  /** Active experiments, the newest activity first. */
  get experiments(): readonly Experiment[] {
    return this._experiments;
  }

  /** How far loading the experiments has come. */
  get load(): Load {
    return this._load;
  }

  /** The experiment whose runs are shown; empty before there is any. */
  get experimentId(): string {
    return this._experimentId;
  }

  /** Wake up or go to sleep with the panel; the first waking reads everything. */
  setActive(active: boolean): void {
    if (active && !this._started) {
      this._started = true;
      void this.refresh();
    }
    this._refresher.setActive(active);
    this.runs.setActive(active);
    this.models.setActive(active);
  }

  /** Show the runs of an experiment, and stay there. */
  select(experimentId: string): void {
    this._pinned = true;
    void this._show(experimentId);
  }

  /** Filter the runs, in MLflow's grammar. */
  async setFilter(filter: string): Promise<void> {
    const orderBy = this.runs.query?.orderBy ?? '';
    const experimentIds = this._experimentId ? [this._experimentId] : undefined;
    await this.runs.setQuery({ experimentIds, filter, orderBy });
  }

  /** Read everything anew. */
  async refresh(): Promise<void> {
    await Promise.all([this._readExperiments(), this.models.reload()]);
    if (this._load.state !== 'ready') {
      return;
    }
    const known = this._experiments.some(e => e.experiment_id === this._experimentId);
    if (this._pinned && known) {
      await this.runs.reload();
    } else {
      this._pinned = false;
      await this._showNewest();
    }
  }

  override dispose(): void {
    this._refresher.dispose();
    this.runs.dispose();
    this.models.dispose();
    this.selection.dispose();
    super.dispose();
  }

  private async _readExperiments(): Promise<void> {
    try {
      const found = await this._client.experiments();
      this._experiments = found.sort(
        (a, b) => (b.last_update_time ?? 0) - (a.last_update_time ?? 0)
      );
      this._load = READY;
    } catch (error) {
      this._load = failed(error);
    }
    this.notify();
  }

  private async _newest(): Promise<string> {
    const fallback = this._experiments[0]?.experiment_id ?? '';
    try {
      const order_by = ['attributes.start_time DESC'];
      const page = await this._client.table({ max_results: 1, order_by, columns: [] });
      return page.experiment_ids?.[0] ?? fallback;
    } catch {
      // Only a preference was asked for; the list of runs will show what is wrong.
      return fallback;
    }
  }

  private async _showNewest(): Promise<void> {
    const newest = await this._newest();
    // Somebody may have picked one while the answer was under way.
    if (!this._pinned) {
      await this._show(newest);
    }
  }

  private async _show(experimentId: string): Promise<void> {
    if (experimentId !== this._experimentId) {
      this.selection.clear();
    }
    this._experimentId = experimentId;
    this.notify();
    if (experimentId) {
      const { filter, orderBy } = this.runs.query ?? { filter: '', orderBy: '' };
      await this.runs.setQuery({ experimentIds: [experimentId], filter, orderBy });
    }
  }

  private _wants(change: Change): boolean {
    const follows = !this._pinned && change.parent_id !== this._experimentId;
    return change.entity === 'experiment' || (change.entity === 'run' && follows);
  }

  private async _refresh({ changes, gap }: Batch): Promise<void> {
    const known = new Set(this._experiments.map(e => e.experiment_id));
    const runs = changes.filter(c => c.entity === 'run');
    const strangers = runs.some(c => !known.has(c.parent_id ?? ''));
    if (gap || strangers || changes.some(c => c.entity === 'experiment')) {
      await this._readExperiments();
    }
    const latest = runs.at(-1)?.parent_id;
    const here = this._experiments.some(e => e.experiment_id === this._experimentId);
    if (!this._pinned && latest && latest !== this._experimentId) {
      await this._show(latest);
    } else if (!here) {
      this._pinned = false;
      await this._showNewest();
    }
  }
}
