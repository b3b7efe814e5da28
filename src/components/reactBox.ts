/** React in a Lumino widget. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type * as React from 'react';

/** A widget that draws one React element; its parts follow their models themselves. */
export class ReactBox extends ReactWidget {
  constructor(
    private readonly _element: React.ReactElement,
    className: string
  ) {
    super();
    this.addClass(className);
  }

  protected override render(): React.ReactElement {
    return this._element;
  }
}
