/** What views do, by way of commands. */
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IActions } from '../models/context';
import { CommandIDs } from './ids';

/** Actions that run commands; one whose plugin is disabled does nothing. */
export function commandActions(commands: CommandRegistry): IActions {
  const run = (id: string, args: object): void => {
    if (commands.hasCommand(id)) {
      void commands.execute(id, args as ReadonlyPartialJSONObject);
    }
  };
  return {
    openRun: runId => run(CommandIDs.openRun, { runId }),
    compare: (runIds, spec) =>
      run(CommandIDs.compareRuns, { runIds: [...runIds], spec }),
    openRuns: experimentId => run(CommandIDs.openRuns, { experimentId }),
    register: runId => run(CommandIDs.registerModel, { runId }),
    openNotebook: path => run('docmanager:open', { path }),
    setStage: (name, version) => run(CommandIDs.setStage, { name, version }),
    setAlias: (name, version) => run(CommandIDs.setAlias, { name, version })
  };
}
