/** Run tags that hold JSON. Anyone may write them, so that anything may stand there. */

/** The tag that says why a run has its status. */
export const REASON_TAG = 'mltrack.status_reason';

/** The object in a tag; an empty one for anything else. */
export function jsonOf(tag: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(tag || 'null');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/** The model that a run logged. */
export interface LoggedModel {
  readonly path: string;
  /** Its class without the module: DecisionTreeClassifier. */
  readonly kind: string;
}

/** Read the tag that says which model a run logged; null if it logged none. */
export function parseModel(tag: string): LoggedModel | null {
  if (!tag) {
    return null;
  }
  const found = jsonOf(tag);
  // A plain text is the path itself.
  const path = typeof found.artifact_path === 'string' ? found.artifact_path : tag;
  const kind = typeof found.class === 'string' ? found.class : '';
  return { path, kind: kind.slice(kind.lastIndexOf('.') + 1) };
}
