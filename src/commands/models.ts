/** Commands that act on registered models. */
import { Notification } from '@jupyterlab/apputils';
import { messageOf } from '../api/errors';
import { registerModel, setAlias, setStage } from '../views/modelDialogs';
import { CommandIDs } from './ids';
import type { CommandOptions } from './runs';
import { targetRuns, targetVersion, textArgs } from './target';

/** Add the commands. */
export function addModelCommands(options: CommandOptions): void {
  const { app, context, sidebar } = options;
  const { trans } = context;
  app.commands.addCommand(CommandIDs.registerModel, {
    label: trans.__('Register Model…'),
    caption: trans.__('Register the model of a run'),
    describedBy: textArgs({ runId: trans.__('The id of the run') }),
    isEnabled: args => targetRuns(app, args, sidebar).length === 1,
    execute: async args => {
      const [runId] = targetRuns(app, args, sidebar);
      if (runId && (await registerModel(runId, context))) {
        Notification.success(trans.__('The model was registered.'), {
          autoClose: 4000
        });
      }
    }
  });
  addVersionCommands(options);
}

function addVersionCommands({ app, context }: CommandOptions): void {
  const { trans } = context;
  const described = textArgs({
    name: trans.__('The registered model'),
    version: trans.__('The version')
  });
  const dialogs = [
    { id: CommandIDs.setStage, label: trans.__('Set Stage…'), open: setStage },
    { id: CommandIDs.setAlias, label: trans.__('Set Alias…'), open: setAlias }
  ];
  for (const { id, label, open } of dialogs) {
    app.commands.addCommand(id, {
      label,
      describedBy: described,
      isEnabled: args => targetVersion(app, args) !== null,
      execute: async args => {
        const target = targetVersion(app, args);
        try {
          return target && (await open(target.name, target.version, context));
        } catch (error) {
          Notification.error(messageOf(error), { autoClose: false });
          return false;
        }
      }
    });
  }
}
