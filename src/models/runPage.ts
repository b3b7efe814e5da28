/** Everything about one run. */
import type { TrackingClient } from '../api/client';
import { messageOf } from '../api/errors';
import type { FileInfo, Metric, ModelVersion, Run } from '../api/types';
import { Refresher, type IFeed } from './live';
import { quoted } from './modelList';
import { failed, LOADING, Observable, READY, type Load } from './observable';

/** What is known of a folder of artifacts. */
export interface Folder {
  readonly files: readonly FileInfo[];
  readonly error: string;
}

/** Requests for histories under way at a time. */
const PARALLEL = 3;

/** The model of a run's page. */
export class RunPageModel extends Observable {
  private readonly _refresher: Refresher;
  private readonly _histories = new Map<string, readonly Metric[]>();
  private readonly _folders = new Map<string, Folder>();
  private _queue: string[] = [];
  private _underWay = 0;
  private _run: Run | null = null;
  private _experiment = '';
  private _versions: readonly ModelVersion[] = [];
  private _load: Load = LOADING;
  private _started = false;

  constructor(
    readonly runId: string,
    private readonly _client: TrackingClient,
    feed: IFeed
  ) {
    super();
    this._refresher = new Refresher({
      feed,
      wants: ({ entity, entity_id }) =>
        entity === 'model_version' || (entity === 'run' && entity_id === runId),
      refresh: () => this.reload(),
      interval: 500
    });
  }

  /** The run; null before it is there. */
  get run(): Run | null {
    return this._run;
  }

  /** The name of its experiment. */
  get experiment(): string {
    return this._experiment;
  }

  /** Versions that were registered from this run. */
  get versions(): readonly ModelVersion[] {
    return this._versions;
  }

  /** How far loading has come. */
  get load(): Load {
    return this._load;
  }

  /** A tag of the run; empty if it has none. */
  tag(key: string): string {
    return this._run?.data?.tags?.find(tag => tag.key === key)?.value ?? '';
  }

  /** The points of a metric that were read. */
  history(key: string): readonly Metric[] | undefined {
    return this._histories.get(key);
  }

  /** A folder of artifacts that was read; the empty path is the root. */
  folder(path: string): Folder | undefined {
    return this._folders.get(path);
  }

  /** Wake up or go to sleep; the first waking reads the run. */
  setActive(active: boolean): void {
    if (active && !this._started) {
      this._started = true;
      void this.reload();
      void this.openFolder('');
    }
    this._refresher.setActive(active);
  }

  /** Read the run anew, and what was opened of it. */
  async reload(): Promise<void> {
    try {
      this._run = await this._client.run(this.runId);
      this._load = READY;
    } catch (error) {
      this._load = failed(error);
      this.notify();
      return;
    }
    this.notify();
    this._queue = (this._run.data?.metrics ?? []).map(metric => metric.key);
    this._pump();
    await Promise.all([this._readExperiment(), this._readVersions(), this._reopen()]);
    this.notify();
  }

  /** Read a folder of artifacts. */
  async openFolder(path: string): Promise<void> {
    try {
      const files = await this._client.artifacts(this.runId, path);
      this._folders.set(path, { files, error: '' });
    } catch (error) {
      this._folders.set(path, { files: [], error: messageOf(error) });
    }
    this.notify();
  }

  /** Forget a folder of artifacts. */
  closeFolder(path: string): void {
    this._folders.delete(path);
    this.notify();
  }

  override dispose(): void {
    this._queue = [];
    this._refresher.dispose();
    super.dispose();
  }

  private async _reopen(): Promise<void> {
    // A running run may have written files since.
    if (this._run?.info?.status === 'RUNNING') {
      await Promise.all([...this._folders.keys()].map(path => this.openFolder(path)));
    }
  }

  private async _readExperiment(): Promise<void> {
    const id = this._run?.info?.experiment_id;
    if (this._experiment || !id) {
      return;
    }
    try {
      this._experiment = (await this._client.experiment(id)).name;
    } catch {
      // A name is a nicety: the id says the same.
      this._experiment = id;
    }
  }

  private async _readVersions(): Promise<void> {
    try {
      this._versions = await this._client.versions(`run_id=${quoted(this.runId)}`);
    } catch {
      // A registry elsewhere may not answer; the rest of the page does not depend on it.
      this._versions = [];
    }
  }

  private _pump(): void {
    while (this._underWay < PARALLEL && this._queue.length) {
      const key = this._queue.shift() ?? '';
      this._underWay += 1;
      void this._readHistory(key).finally(() => {
        this._underWay -= 1;
        this._pump();
      });
    }
  }

  private async _readHistory(key: string): Promise<void> {
    try {
      this._histories.set(key, await this._client.history(this.runId, key));
    } catch {
      // Without its line a metric still has its value.
      this._histories.delete(key);
    }
    this.notify();
  }
}
