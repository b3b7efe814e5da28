/** Colour, choice of axes, reset, and how many runs are selected. */
import { shortNumber } from '../../models/format';
import { gradient } from '../../models/parcoords/color';
import type { CompareState } from '../../models/parcoords/state';
import type { ITranslate } from '../../models/strings';
import { html } from '../dom';
import { isDark } from '../theme';

/** What the toolbar tells the plot. */
export interface ToolbarEvents {
  color(id: string): void;
  axes(ids: string[]): void;
  reset(): void;
}

/** So many columns are listed; more are found by typing. */
const LISTED = 100;

/** The toolbar above the plot. */
export class Toolbar {
  readonly node: HTMLDivElement;
  private readonly _color: HTMLSelectElement;
  private readonly _legend = html('span', {
    class: 'mltrack-Pc-legend',
    'aria-hidden': 'true'
  });
  private readonly _list = html('div', { class: 'mltrack-Pc-choices' });
  private readonly _summary = html('summary', {
    'data-testid': 'mltrack-axes-chooser'
  });
  private readonly _search: HTMLInputElement;
  private readonly _status = html('span', {
    class: 'mltrack-Pc-status',
    role: 'status',
    'aria-live': 'polite',
    'data-testid': 'mltrack-parcoords-status'
  });
  private readonly _details: HTMLDetailsElement;
  private _state: CompareState | null = null;

  constructor(
    private readonly _events: ToolbarEvents,
    private readonly _trans: ITranslate
  ) {
    this._color = html('select', {
      'aria-label': this._trans.__('Colour by'),
      'data-testid': 'mltrack-color-select',
      change: () => this._events.color(this._color.value)
    });
    this._search = html('input', {
      type: 'search',
      placeholder: this._trans.__('Find a column'),
      'aria-label': this._trans.__('Find a column'),
      input: () => this._fillList()
    });
    this._details = html(
      'details',
      {
        class: 'mltrack-Pc-axes',
        toggle: () => this._fillList(),
        keydown: (event: KeyboardEvent) => this._key(event),
        focusout: (event: FocusEvent) => this._leave(event)
      },
      this._summary,
      html('div', { class: 'mltrack-Pc-popup' }, this._search, this._list)
    );
    this.node = this._build();
  }

  private _build(): HTMLDivElement {
    const reset = html(
      'button',
      {
        type: 'button',
        class: 'mltrack-Button',
        'data-testid': 'mltrack-parcoords-reset',
        click: () => this._events.reset()
      },
      this._trans.__('Reset')
    );
    const label = html('label', {}, this._trans.__('Colour'), ' ', this._color);
    return html(
      'div',
      {
        class: 'mltrack-Pc-toolbar',
        role: 'group',
        'aria-label': this._trans.__('Plot')
      },
      label,
      this._legend,
      this._details,
      reset,
      this._status
    );
  }

  /** Show a state. */
  update(state: CompareState): void {
    const columns = this._state?.all !== state.all;
    this._state = state;
    if (columns) {
      const none = html('option', { value: '' }, this._trans.__('none'));
      const numbers = state.all.filter(a => a.type === 'number' && a.max >= a.min);
      const metrics = numbers.filter(a => a.kind === 'metric');
      const others = numbers.filter(a => a.kind !== 'metric');
      const options = [...metrics, ...others].map(a =>
        html('option', { value: a.id }, a.key)
      );
      this._color.replaceChildren(none, ...options);
    }
    this._color.value = state.color?.id ?? '';
    this._drawLegend(state);
    this._summary.textContent = this._trans.__(
      'Axes (%1 of %2)',
      state.shown.length,
      state.all.length
    );
    if (this._details.open) {
      this._fillList();
    }
    const total = state.table.ids.length;
    const text =
      state.selected === total
        ? this._trans._n('%1 run', '%1 runs', total)
        : this._trans.__('%1 of %2 runs', state.selected, total);
    // Written only when it differs: each writing is read aloud.
    if (this._status.textContent !== text) {
      this._status.textContent = text;
    }
  }

  private _drawLegend(state: CompareState): void {
    const { color } = state;
    this._legend.hidden = !color || !(color.max > color.min);
    if (color) {
      const bar = html('i', {});
      bar.style.backgroundImage = gradient(isDark());
      this._legend.replaceChildren(
        html('span', {}, shortNumber(color.min)),
        bar,
        html('span', {}, shortNumber(color.max))
      );
    }
  }

  private _fillList(): void {
    const state = this._state;
    if (!state || !this._details.open) {
      return;
    }
    const wanted = this._search.value.trim().toLowerCase();
    const shown = new Set(state.shown.map(axis => axis.id));
    const found = state.all
      .filter(a => a.id.toLowerCase().includes(wanted))
      .slice(0, LISTED);
    this._search.hidden = state.all.length < 12;
    this._list.replaceChildren(
      ...found.map(axis => {
        const box = html('input', {
          type: 'checkbox',
          change: () => this._choose(axis.id, box.checked)
        });
        box.checked = shown.has(axis.id);
        box.dataset.key = axis.id;
        return html(
          'label',
          { title: axis.id },
          box,
          html('small', {}, axis.kind),
          axis.key
        );
      })
    );
  }

  private _choose(id: string, on: boolean): void {
    const ids = (this._state?.shown ?? [])
      .map(axis => axis.id)
      .filter(other => other !== id);
    if (on) {
      ids.push(id);
    }
    this._events.axes(ids);
    // The list was made anew: the keyboard stays where it was.
    const boxes = [...this._list.querySelectorAll<HTMLInputElement>('input')];
    boxes.find(box => box.dataset.key === id)?.focus();
  }

  private _key(event: KeyboardEvent): void {
    if (event.key === 'Escape' && this._details.open) {
      this._details.open = false;
      this._summary.focus();
      event.stopPropagation();
    }
  }

  private _leave(event: FocusEvent): void {
    const to = event.relatedTarget as Node | null;
    if (to && !this._details.contains(to)) {
      this._details.open = false;
    }
  }
}
