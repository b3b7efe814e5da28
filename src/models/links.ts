/** The links that MLflow's clients print, such as `…/#/experiments/1/runs/0a1b…`. */

/** What a link leads to. */
export interface ILinked {
  readonly kind: 'run' | 'experiment' | 'models';
  /** The id of the run or of the experiment; empty for the models. */
  readonly id: string;
}

const RUN = /^#\/experiments\/[^/?]+\/runs\/(\w+)/;
const EXPERIMENT = /^#\/experiments\/(\d+)/;
const MODELS = /^#\/models(?:[/?]|$)/;

/** What a link leads to by what stands behind its `#`, `null` if it is none of MLflow's. */
export function linked(hash: string): ILinked | null {
  const run = RUN.exec(hash)?.[1];
  if (run) {
    return { kind: 'run', id: run };
  }
  const experiment = EXPERIMENT.exec(hash)?.[1];
  if (experiment) {
    return { kind: 'experiment', id: experiment };
  }
  return MODELS.test(hash) ? { kind: 'models', id: '' } : null;
}
