/** What the plot tells its surroundings. */
import type { CompareSpec } from '../../models/parcoords/spec';

/** What the plot tells its surroundings. */
export interface ParcoordsEvents {
  /** Brushes, order, colour or scales were changed by the user. */
  spec?(spec: CompareSpec): void;
  /** Other runs lie inside the brushes. */
  selected?(runIds: string[]): void;
  /** The pointer is at a line, or at none. */
  hovered?(runId: string | null): void;
  /** A line was clicked. */
  picked?(runId: string): void;
  /** A line was double-clicked. */
  opened?(runId: string): void;
}
