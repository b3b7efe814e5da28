/** The names of our commands. */

/** Command ids. */
export const CommandIDs = {
  openRun: 'mltrack:open-run',
  openRuns: 'mltrack:open-runs',
  compareRuns: 'mltrack:compare-runs',
  registerModel: 'mltrack:register-model',
  setStage: 'mltrack:set-stage',
  setAlias: 'mltrack:set-alias',
  renameRun: 'mltrack:rename-run',
  deleteRun: 'mltrack:delete-run',
  restoreRun: 'mltrack:restore-run',
  copyRunId: 'mltrack:copy-run-id',
  refresh: 'mltrack:refresh'
} as const;

/** The heading of our commands in the palette. */
export const CATEGORY = 'MLTrack';
