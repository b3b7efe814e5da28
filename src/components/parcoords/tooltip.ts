/** Says which run a line is. */
import { duration, longNumber, statusWord } from '../../models/format';
import type { CompareState } from '../../models/parcoords/state';
import type { ITranslate } from '../../models/strings';
import { toNumber } from '../../models/table';
import { html } from '../dom';

/** The tooltip of the plot. */
export class Tooltip {
  /** To be put into the plot. */
  readonly node = html('div', {
    class: 'mltrack-Pc-tooltip',
    role: 'tooltip',
    'data-testid': 'mltrack-parcoords-tooltip',
    hidden: true
  });

  constructor(private readonly _trans: ITranslate) {}

  /** Show a run next to a point. */
  show(
    state: CompareState,
    row: number,
    at: { x: number; y: number; width: number }
  ): void {
    const { table } = state;
    const axes = [...state.shown];
    if (state.color && !axes.includes(state.color)) {
      axes.push(state.color);
    }
    const values = axes.map(axis => {
      const cell = axis.raw[row];
      let text = cell === null ? this._trans.__('missing') : String(cell);
      if (typeof cell === 'number') {
        text =
          axis.id === 'attributes.duration' ? duration(cell * 1000) : longNumber(cell);
      } else if (axis.kind === 'metric' && cell !== null) {
        text = longNumber(toNumber(cell));
      }
      return html('tr', {}, html('th', {}, axis.key), html('td', {}, text));
    });
    this.node.replaceChildren(
      html('strong', {}, table.names[row] || table.ids[row]),
      html('span', {}, statusWord(table.statuses[row], this._trans)),
      html('table', {}, ...values),
      html('em', {}, this._trans.__('Click to select, double-click to open'))
    );
    this.node.hidden = false;
    // Left of the pointer in the right half, so that it never leaves the plot.
    const right = at.x > at.width / 2;
    this.node.style.left = right ? 'auto' : `${at.x + 16}px`;
    this.node.style.right = right ? `${at.width - at.x + 16}px` : 'auto';
    this.node.style.top = `${Math.max(0, at.y - 24)}px`;
  }

  /** Hide it. */
  hide(): void {
    this.node.hidden = true;
  }
}
