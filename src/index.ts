/** The plugins; each can be disabled by itself. */
import {
  ILayoutRestorer,
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { TrackingClient } from './api/client';
import { JupyterTransport } from './api/transport';
import { commandActions } from './commands/actions';
import { Documents } from './commands/documents';
import { CATEGORY, CommandIDs } from './commands/ids';
import { addModelCommands } from './commands/models';
import { followLink } from './commands/links';
import { addOpenCommands } from './commands/open';
import { addRunCommands } from './commands/runs';
import type { IContext } from './models/context';
import { ChangeFeed } from './models/live';
import { RunCache } from './models/runCache';
import { SidebarModel } from './models/sidebar';
import { VIEW_MIME } from './models/viewSpec';
import { SidebarPanel } from './sidebar/panel';
import { IMltrack, IMltrackSidebar, type ISidebarHandle } from './tokens';
import { ViewRenderer } from './views/output';

/** The connection to the tracking server. */
const session: JupyterFrontEndPlugin<IContext> = {
  id: 'mltrack-jupyter:session',
  description: 'Connects to the tracking server and its change feed.',
  autoStart: true,
  optional: [ITranslator],
  provides: IMltrack,
  activate: (app: JupyterFrontEnd, translator: ITranslator | null): IContext => {
    const { serverSettings, events } = app.serviceManager;
    const client = new TrackingClient(new JupyterTransport(serverSettings));
    const feed = new ChangeFeed();
    // The stream ends with the page, or at once where there is no event bus.
    feed.follow(events.stream).catch((error: unknown) => {
      console.warn('MLTrack hears of no changes:', error);
    });
    return {
      client,
      feed,
      cache: new RunCache(client),
      trans: (translator ?? nullTranslator).load('mltrack_jupyter'),
      act: commandActions(app.commands)
    };
  }
};

/** The sidebar. */
const sidebar: JupyterFrontEndPlugin<ISidebarHandle> = {
  id: 'mltrack-jupyter:sidebar',
  description: 'Experiments, runs and registered models in the sidebar.',
  autoStart: true,
  requires: [IMltrack],
  optional: [ILayoutRestorer, ISettingRegistry, ITranslator],
  provides: IMltrackSidebar,
  activate: (
    app: JupyterFrontEnd,
    context: IContext,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): ISidebarHandle => {
    const model = new SidebarModel(context.client, context.feed);
    const { commands } = app;
    const panel = new SidebarPanel({
      model,
      context,
      commands,
      translator: translator ?? undefined
    });
    app.shell.add(panel, 'left', { rank: 600 });
    restorer?.add(panel, panel.id);
    void settings?.load(sidebar.id).then(loaded => {
      const apply = (): void =>
        model.runs.setMainMetric(String(loaded.composite.mainMetric ?? ''));
      loaded.changed.connect(apply);
      apply();
    });
    return {
      get selected() {
        return [...model.selection.ids];
      },
      get experimentId() {
        return model.experimentId;
      },
      refresh: () => model.refresh()
    };
  }
};

/** The documents of the main area. */
const documents: JupyterFrontEndPlugin<void> = {
  id: 'mltrack-jupyter:documents',
  description: 'The page of a run, tables of runs and comparisons.',
  autoStart: true,
  requires: [IMltrack],
  optional: [IMltrackSidebar, ILayoutRestorer, ICommandPalette, IRouter],
  activate: (
    app: JupyterFrontEnd,
    context: IContext,
    handle: ISidebarHandle | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    router: IRouter | null
  ): void => {
    const opened = new Documents(app, context);
    addOpenCommands({ app, documents: opened, context, sidebar: () => handle });
    if (restorer) {
      opened.restore(restorer);
    }
    followLink(app, opened, router);
    for (const command of [
      CommandIDs.openRuns,
      CommandIDs.compareRuns,
      CommandIDs.openRun
    ]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

/** Views in notebook outputs. */
const mime: JupyterFrontEndPlugin<void> = {
  id: 'mltrack-jupyter:mime',
  description: 'Brings tracked outputs of notebooks alive, without a kernel.',
  autoStart: true,
  requires: [IMltrack, IRenderMimeRegistry],
  activate: (
    _app: JupyterFrontEnd,
    context: IContext,
    rendermime: IRenderMimeRegistry
  ): void => {
    const factory = {
      // Nothing of the bundle is executed or parsed as markup: it is safe untrusted.
      safe: true,
      mimeTypes: [VIEW_MIME],
      createRenderer: () => new ViewRenderer(context)
    };
    // Before text/html (50), which is there for those who do not have this extension.
    rendermime.addFactory(factory, 10);
  }
};

/** Commands on runs and models. */
const commands: JupyterFrontEndPlugin<void> = {
  id: 'mltrack-jupyter:commands',
  description: 'Commands on runs and registered models.',
  autoStart: true,
  requires: [IMltrack],
  optional: [IMltrackSidebar, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    context: IContext,
    handle: ISidebarHandle | null,
    palette: ICommandPalette | null
  ): void => {
    const options = { app, context, sidebar: handle };
    addRunCommands(options);
    addModelCommands(options);
    const { refresh, registerModel, renameRun, deleteRun, copyRunId } = CommandIDs;
    for (const command of [refresh, registerModel, renameRun, deleteRun, copyRunId]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

export default [session, sidebar, documents, mime, commands];
