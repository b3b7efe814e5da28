/** Opens what a link of MLflow's clients leads to. */
import type { IRouter, JupyterFrontEnd } from '@jupyterlab/application';
import { linked } from '../models/links';
import { SIDEBAR_ID } from '../sidebar/panel';
import type { Documents } from './documents';

/**
 * Open what the address of the page names, once: when everything that was open before is there again, so
 * that it stands in front. The address is told no more then, so that a reload does not open it again.
 */
export function followLink(
  app: JupyterFrontEnd,
  documents: Documents,
  router: IRouter | null
): void {
  const target = linked(window.location.hash);
  if (!target) {
    return;
  }
  void app.restored.then(() => {
    if (target.kind === 'run') {
      documents.openRun(target.id);
    } else if (target.kind === 'experiment') {
      documents.openRuns({ experimentId: target.id });
    } else {
      app.shell.activateById(SIDEBAR_ID);
    }
    forget();
    // Lab goes to the address that it began with once more when it gave the page a workspace of its own.
    router?.routed.connect(forget);
  });
}

function forget(): void {
  if (linked(window.location.hash)) {
    const { pathname, search } = window.location;
    window.history.replaceState(window.history.state, '', pathname + search);
  }
}
