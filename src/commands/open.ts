/** Commands that open documents. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { mltrackIcon } from '../components/icons';
import type { IContext } from '../models/context';
import type { CompareSpecJson } from '../models/parcoords/spec';
import type { ISidebarHandle } from '../tokens';
import type { CompareArgs } from '../views/compareView';
import type { Documents } from './documents';
import { CommandIDs } from './ids';
import { targetRuns, textArg, textArgs, textsArg, type Args } from './target';

/** What the commands act on. */
export interface OpenOptions {
  readonly app: JupyterFrontEnd;
  readonly documents: Documents;
  readonly context: IContext;
  /** Asked each time, for the sidebar may come later or not at all. */
  sidebar(): ISidebarHandle | null;
}

/** Add the commands. */
export function addOpenCommands(options: OpenOptions): void {
  addOpenRun(options);
  addOpenRuns(options);
  addCompare(options);
}

function addOpenRun({ app, documents, context, sidebar }: OpenOptions): void {
  const { trans } = context;
  app.commands.addCommand(CommandIDs.openRun, {
    label: trans.__('Open Run'),
    caption: trans.__('Open the page of a run'),
    icon: mltrackIcon,
    describedBy: textArgs({ runId: trans.__('The id of the run') }),
    isEnabled: args => targetRuns(app, args, sidebar()).length > 0,
    execute: args => {
      targetRuns(app, args, sidebar()).forEach(id => documents.openRun(id));
    }
  });
}

function addOpenRuns({ app, documents, context, sidebar }: OpenOptions): void {
  const { trans } = context;
  app.commands.addCommand(CommandIDs.openRuns, {
    label: trans.__('Open Runs'),
    caption: trans.__('Show the runs of an experiment as a table'),
    icon: mltrackIcon,
    describedBy: textArgs({
      experimentId: trans.__('The id of the experiment; all of them if it is left out'),
      filter: trans.__("A filter in MLflow's grammar")
    }),
    execute: args => {
      const under = app.contextMenuHitTest(node => 'experimentId' in node.dataset);
      const experimentId =
        textArg(args, 'experimentId') ||
        under?.dataset.experimentId ||
        sidebar()?.experimentId;
      documents.openRuns({ experimentId, filter: textArg(args, 'filter') });
    }
  });
}

function compareArgs(args: Args): CompareArgs {
  const filter = textArg(args, 'filter');
  return {
    ...(textsArg(args, 'runIds') ? { runIds: textsArg(args, 'runIds') } : {}),
    ...(textsArg(args, 'experimentIds')
      ? { experimentIds: textsArg(args, 'experimentIds') }
      : {}),
    ...(filter ? { filter } : {}),
    // Read with distrust by the view itself.
    spec: args.spec as CompareSpecJson | undefined
  };
}

function addCompare({ app, documents, context, sidebar }: OpenOptions): void {
  const { trans } = context;
  const texts = { type: 'array', items: { type: 'string' } };
  app.commands.addCommand(CommandIDs.compareRuns, {
    label: trans.__('Compare Runs'),
    caption: trans.__('Compare runs in parallel coordinates'),
    icon: mltrackIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          runIds: texts,
          experimentIds: texts,
          filter: { type: 'string' },
          spec: { type: 'object' }
        }
      }
    },
    execute: args => {
      const asked = compareArgs(args);
      if (asked.runIds || asked.experimentIds || asked.filter) {
        documents.compare(asked, textArg(args, 'id') || undefined);
        return;
      }
      const runIds = targetRuns(app, args, sidebar());
      const experimentId = sidebar()?.experimentId;
      // Nothing is selected: everything there is in this experiment.
      const all = experimentId ? { experimentIds: [experimentId] } : {};
      documents.compare({
        ...(runIds.length > 1 ? { runIds } : all),
        spec: asked.spec
      });
    }
  });
}
