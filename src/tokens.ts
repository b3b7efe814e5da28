/** What our plugins, and those of others, can ask for. */
import { Token } from '@lumino/coreutils';
import type { IContext } from './models/context';

/** The tracking server, the change feed and what can be done with runs. */
export const IMltrack = new Token<IContext>(
  'mltrack-jupyter:IMltrack',
  'The connection to the tracking server of MLTrack.'
);

/** The sidebar, for commands that act on what is selected there. */
export interface ISidebarHandle {
  /** The runs that are selected. */
  readonly selected: readonly string[];
  /** The experiment whose runs are shown. */
  readonly experimentId: string;
  /** Read everything anew. */
  refresh(): Promise<void>;
}

/** The sidebar. */
export const IMltrackSidebar = new Token<ISidebarHandle>(
  'mltrack-jupyter:IMltrackSidebar',
  'What is selected in the sidebar of MLTrack.'
);
