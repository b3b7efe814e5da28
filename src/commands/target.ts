/** Which runs or versions a command is meant for. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ReadonlyJSONObject, ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { ISidebarHandle } from '../tokens';

/** Arguments of a command. */
export type Args = ReadonlyPartialJSONObject;

/** A text among the arguments; empty if it is none. */
export function textArg(args: Args, name: string): string {
  const value = args[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** Texts among the arguments; undefined if there are none. */
export function textsArg(args: Args, name: string): string[] | undefined {
  const value = args[name];
  return Array.isArray(value)
    ? value.filter((v): v is string => typeof v === 'string')
    : undefined;
}

function underMenu(app: JupyterFrontEnd, key: string): string {
  return (
    app.contextMenuHitTest(node => node.dataset[key] !== undefined)?.dataset[key] ?? ''
  );
}

/** The runs: those named, else where the context menu is, else those selected. */
export function targetRuns(
  app: JupyterFrontEnd,
  args: Args,
  sidebar: ISidebarHandle | null
): string[] {
  const named = textsArg(args, 'runIds') ?? [textArg(args, 'runId')].filter(Boolean);
  if (named.length) {
    return named;
  }
  const selected = [...(sidebar?.selected ?? [])];
  const here = underMenu(app, 'runId');
  // A context menu inside the selection is meant for all of it.
  return here && !selected.includes(here) ? [here] : selected;
}

/** The version of a registered model: the one named, else where the context menu is. */
export function targetVersion(
  app: JupyterFrontEnd,
  args: Args
): { name: string; version: string } | null {
  const name = textArg(args, 'name') || underMenu(app, 'model');
  const version = textArg(args, 'version') || underMenu(app, 'version');
  return name && version ? { name, version } : null;
}

/** The description of arguments that are texts. */
export function textArgs(texts: Record<string, string>): { args: ReadonlyJSONObject } {
  const properties = Object.fromEntries(
    Object.entries(texts).map(([name, description]) => [
      name,
      { type: 'string', description }
    ])
  );
  return { args: { type: 'object', properties } };
}
