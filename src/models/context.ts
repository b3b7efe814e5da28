/** What every view is given: where data comes from, and what can be done with it. */
import type { TrackingClient } from '../api/client';
import type { IFeed } from './live';
import type { CompareSpecJson } from './parcoords/spec';
import type { RunCache } from './runCache';
import type { ITranslate } from './strings';

/** What a view can set going; each is a command, so that it can be replaced. */
export interface IActions {
  openRun(runId: string): void;
  compare(runIds: readonly string[], spec?: CompareSpecJson): void;
  openRuns(experimentId: string): void;
  register(runId: string): void;
  openNotebook(path: string): void;
  setStage(name: string, version: string): void;
  setAlias(name: string, version: string): void;
}

/** The surroundings of a view. */
export interface IContext {
  readonly client: TrackingClient;
  readonly feed: IFeed;
  readonly cache: RunCache;
  readonly trans: ITranslate;
  readonly act: IActions;
}
