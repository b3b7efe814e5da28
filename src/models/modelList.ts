/** Registered models with their versions. */
import type { TrackingClient } from '../api/client';
import type { ModelVersion, RegisteredModel } from '../api/types';
import { Refresher, type IFeed } from './live';
import { failed, LOADING, Observable, READY, type Load } from './observable';

/** The stages a version can be in, MLflow's words. */
export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;

/** A text as a filter says it; the same as `quoted` of `store/names.py`. */
export function quoted(text: string): string {
  if (!text.includes("'")) {
    return `'${text}'`;
  }
  return text.includes('"') ? `'${text.replace(/'/g, "\\'")}'` : `"${text}"`;
}

/** The list of registered models. */
export class ModelListModel extends Observable {
  private readonly _refresher: Refresher;
  private readonly _versions = new Map<string, ModelVersion[]>();
  private _models: RegisteredModel[] = [];
  private _load: Load = LOADING;

  constructor(
    private readonly _client: TrackingClient,
    feed: IFeed
  ) {
    super();
    this._refresher = new Refresher({
      feed,
      wants: change => /^(registered_model|model_version)$/.test(change.entity),
      refresh: () => this.reload()
    });
  }

  /** The models. */
  get models(): readonly RegisteredModel[] {
    return this._models;
  }

  /** How far loading has come. */
  get load(): Load {
    return this._load;
  }

  /** Every version of a model that was opened; undefined if it is closed. */
  versions(name: string): readonly ModelVersion[] | undefined {
    return this._versions.get(name);
  }

  /** The aliases of a version. */
  aliases(version: ModelVersion): string[] {
    const model = this._models.find(m => m.name === version.name);
    const own = (model?.aliases ?? []).filter(a => a.version === version.version);
    return [...new Set([...(version.aliases ?? []), ...own.map(a => a.alias)])];
  }

  /** Open or close a model. */
  async toggle(name: string): Promise<void> {
    if (!this._versions.delete(name)) {
      await this._open(name);
    }
    this.notify();
  }

  /** Wake up or go to sleep. */
  setActive(active: boolean): void {
    this._refresher.setActive(active);
  }

  /** Read the list anew, and the versions of what is open. */
  async reload(): Promise<void> {
    try {
      this._models = await this._client.models();
      await Promise.all([...this._versions.keys()].map(name => this._open(name)));
      this._load = READY;
    } catch (error) {
      this._load = failed(error);
    }
    this.notify();
  }

  override dispose(): void {
    this._refresher.dispose();
    super.dispose();
  }

  private async _open(name: string): Promise<void> {
    try {
      const found = await this._client.versions(`name=${quoted(name)}`);
      found.sort((a, b) => Number(b.version) - Number(a.version));
      this._versions.set(name, found);
    } catch (error) {
      this._load = failed(error);
    }
  }
}
