/** Names for the shapes of the wire; the shapes themselves are generated from the server. */
import type { components } from './schema';

type Schemas = components['schemas'];

/** A folder of runs that answer one question. */
export type Experiment = Schemas['Experiment'];
/** One execution with its params, metrics and tags. */
export type Run = Schemas['Run'];
/** The state a run is in. */
export type RunStatus = Schemas['RunStatus'];
/** One point of a metric. */
export type Metric = Schemas['Metric'];
/** A file or folder among the artifacts of a run. */
export type FileInfo = Schemas['FileInfo'];
/** A name under which versions of a model are kept. */
export type RegisteredModel = Schemas['RegisteredModel'];
/** One version of a registered model. */
export type ModelVersion = Schemas['ModelVersion'];
/** What the server says about itself. */
export type WorkspaceInfo = Schemas['WorkspaceInfo'];

/** Runs as parallel arrays, as they come: empty fields are absent. */
export type WireTable = Schemas['RunTable'];
/** One param, metric or tag over the rows of a table. */
export type Column = Schemas['Column'];
/** One cell of a column; metrics that are no number come as text ("NaN"). */
export type Cell = string | number | null;

/** One entry of the change feed, as the event bus brings it. */
export interface Change {
  readonly seq: number;
  readonly entity: string;
  readonly entity_id: string;
  readonly parent_id?: string;
  readonly action: string;
}

/** What a page of runs is asked with. */
export interface TableQuery {
  experiment_ids?: string[];
  run_ids?: string[];
  filter?: string;
  order_by?: string[];
  max_results?: number;
  page_token?: string;
  columns?: string[];
}
