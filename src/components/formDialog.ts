/** A dialog with fields that stays open, and says why, when its request fails. */
import { Dialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import { messageOf } from '../api/errors';
import type { ITranslate } from '../models/strings';
import { html } from './dom';

/** One field of a form. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'choice' | 'flag';
  readonly value?: string | boolean;
  /** Choices of a list, or suggestions for a text. */
  readonly options?: readonly string[];
  readonly required?: boolean;
}

/** What was filled in; flags are "true" or "". */
export type Values = Readonly<Record<string, string>>;

/** A form. */
export interface FormOptions {
  readonly title: string;
  readonly text?: string;
  readonly fields: readonly Field[];
  readonly accept: string;
  readonly trans: ITranslate;
  /** Called on accepting; the dialog closes when it succeeds. */
  submit(values: Values): Promise<void>;
}

type Control = HTMLInputElement | HTMLSelectElement;

class FormBody extends Widget {
  private readonly _controls = new Map<string, Control>();
  private readonly _error = html('p', {
    class: 'mltrack-Form-error',
    role: 'alert',
    'data-testid': 'mltrack-dialog-error'
  });

  constructor(private readonly _options: FormOptions) {
    super();
    // Lists of suggestions are found by id.
    this.id = `mltrack-form-${Date.now()}`;
    this.addClass('mltrack-Form');
    const { text, fields } = _options;
    this.node.append(
      ...(text ? [html('p', {}, text)] : []),
      ...fields.map(field => this._row(field)),
      this._error
    );
  }

  getValue(): Values {
    const entries = [...this._controls].map(([name, control]) => {
      const flag = control instanceof HTMLInputElement && control.type === 'checkbox';
      const value = flag ? (control.checked ? 'true' : '') : control.value.trim();
      return [name, value] as const;
    });
    return Object.fromEntries(entries);
  }

  explain(text: string): void {
    this._error.textContent = text;
  }

  /** The label of the first field that must be filled in and is not. */
  lacks(): string | undefined {
    const values = this.getValue();
    return this._options.fields.find(f => f.required && !values[f.name])?.label;
  }

  private _row(field: Field): HTMLElement {
    const control = this._control(field);
    control.dataset.testid = `mltrack-field-${field.name}`;
    this._controls.set(field.name, control);
    const label = html('span', {}, field.label);
    const row =
      field.kind === 'flag'
        ? html('label', { class: 'mltrack-mod-flag' }, control, label)
        : html('label', {}, label, control);
    if (field.kind === 'text' && field.options?.length) {
      const list = html('datalist', { id: `${this.id}-${field.name}` });
      list.append(...field.options.map(value => html('option', { value })));
      control.setAttribute('list', list.id);
      row.append(list);
    }
    return row;
  }

  private _control(field: Field): Control {
    if (field.kind === 'choice') {
      const options = (field.options ?? []).map(value =>
        html('option', { value }, value)
      );
      const select = html('select', {}, ...options);
      select.value = String(field.value ?? field.options?.[0] ?? '');
      return select;
    }
    const input = html('input', { type: field.kind === 'flag' ? 'checkbox' : 'text' });
    if (field.kind === 'flag') {
      input.checked = field.value === true;
    } else {
      input.value = String(field.value ?? '');
      input.spellcheck = false;
    }
    return input;
  }
}

class FormDialog extends Dialog<Values> {
  private _busy = false;

  constructor(
    private readonly _form: FormBody,
    private readonly _options: FormOptions
  ) {
    super({
      title: _options.title,
      body: _form,
      buttons: [
        Dialog.cancelButton({ label: _options.trans.__('Cancel') }),
        Dialog.okButton({ label: _options.accept })
      ],
      focusNodeSelector: 'input, select'
    });
    this.addClass('mltrack-FormDialog');
  }

  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(index);
    } else if (!this._busy) {
      void this._submit();
    }
  }

  private async _submit(): Promise<void> {
    const lacks = this._form.lacks();
    if (lacks) {
      this._form.explain(this._options.trans.__('%1 must be filled in.', lacks));
      return;
    }
    this._busy = true;
    this._form.explain('');
    try {
      await this._options.submit(this._form.getValue());
      super.resolve(1);
    } catch (error) {
      this._form.explain(messageOf(error));
    } finally {
      this._busy = false;
    }
  }
}

/** Show a form; resolves with whether it was accepted and its request succeeded. */
export async function showForm(options: FormOptions): Promise<boolean> {
  const result = await new FormDialog(new FormBody(options), options).launch();
  return result.button.accept;
}
