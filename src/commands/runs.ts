/** Commands that act on runs. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { refreshIcon } from '@jupyterlab/ui-components';
import { messageOf } from '../api/errors';
import { showForm } from '../components/formDialog';
import type { IContext } from '../models/context';
import type { ISidebarHandle } from '../tokens';
import { CommandIDs } from './ids';
import { targetRuns, textArgs, type Args } from './target';

/** What the commands act on. */
export interface CommandOptions {
  readonly app: JupyterFrontEnd;
  readonly context: IContext;
  readonly sidebar: ISidebarHandle | null;
}

/** Add the commands. */
export function addRunCommands(options: CommandOptions): void {
  addRefresh(options);
  addCopy(options);
  addRename(options);
  addDelete(options);
  addRestore(options);
}

function addRefresh({ app, context, sidebar }: CommandOptions): void {
  const { trans } = context;
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh'),
    caption: trans.__('Read experiments, runs and models anew'),
    icon: refreshIcon,
    describedBy: textArgs({}),
    isEnabled: () => sidebar !== null,
    execute: () => sidebar?.refresh()
  });
}

function addCopy({ app, context, sidebar }: CommandOptions): void {
  const { trans } = context;
  app.commands.addCommand(CommandIDs.copyRunId, {
    label: trans.__('Copy Run Id'),
    describedBy: textArgs({ runId: trans.__('The id of the run') }),
    isEnabled: args => targetRuns(app, args, sidebar).length > 0,
    execute: args => Clipboard.copyToSystem(targetRuns(app, args, sidebar).join('\n'))
  });
}

function addRename({ app, context, sidebar }: CommandOptions): void {
  const { trans, client } = context;
  const one = (args: Args): string | undefined => {
    const ids = targetRuns(app, args, sidebar);
    return ids.length === 1 ? ids[0] : undefined;
  };
  app.commands.addCommand(CommandIDs.renameRun, {
    label: trans.__('Rename Run…'),
    describedBy: textArgs({ runId: trans.__('The id of the run') }),
    isEnabled: args => one(args) !== undefined,
    execute: async args => {
      const runId = one(args);
      if (!runId) {
        return;
      }
      const { info } = await client.run(runId);
      await showForm({
        title: trans.__('Rename Run'),
        accept: trans.__('Rename'),
        trans,
        fields: [
          {
            name: 'name',
            label: trans.__('Name'),
            kind: 'text',
            value: info.run_name,
            required: true
          }
        ],
        submit: ({ name }) => client.renameRun(runId, name)
      });
    }
  });
}

/** Do something to each run; what fails is told once. */
async function each(
  ids: readonly string[],
  act: (id: string) => Promise<void>
): Promise<boolean> {
  const results = await Promise.allSettled(ids.map(act));
  const failed = results.find(result => result.status === 'rejected');
  if (failed) {
    Notification.error(messageOf(failed.reason), { autoClose: false });
  }
  return !failed;
}

function addDelete({ app, context, sidebar }: CommandOptions): void {
  const { trans, client } = context;
  app.commands.addCommand(CommandIDs.deleteRun, {
    label: trans.__('Delete Run…'),
    describedBy: textArgs({ runId: trans.__('The id of the run') }),
    isEnabled: args => targetRuns(app, args, sidebar).length > 0,
    execute: async args => {
      const ids = targetRuns(app, args, sidebar);
      const answer = await showDialog({
        title: trans._n('Delete %1 Run?', 'Delete %1 Runs?', ids.length),
        body: trans.__(
          'Deleted runs go to the trash, from which they can be restored.'
        ),
        buttons: [
          Dialog.cancelButton({ label: trans.__('Cancel') }),
          Dialog.warnButton({ label: trans.__('Delete') })
        ]
      });
      if (answer.button.accept && (await each(ids, id => client.deleteRun(id)))) {
        const undo = (): void => void each(ids, id => client.restoreRun(id));
        const text = trans._n(
          '%1 run was deleted.',
          '%1 runs were deleted.',
          ids.length
        );
        Notification.info(text, {
          autoClose: 10_000,
          actions: [{ label: trans.__('Undo'), callback: undo }]
        });
      }
    }
  });
}

function addRestore({ app, context }: CommandOptions): void {
  const { trans, client } = context;
  app.commands.addCommand(CommandIDs.restoreRun, {
    label: trans.__('Restore Run'),
    caption: trans.__('Take a run out of the trash'),
    describedBy: textArgs({ runId: trans.__('The id of the run') }),
    execute: async args => {
      await each(targetRuns(app, args, null), id => client.restoreRun(id));
    }
  });
}
