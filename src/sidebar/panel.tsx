/** The panel in the left area: it wakes the model when it is shown. */
import * as React from 'react';
import {
  CommandToolbarButton,
  PanelWithToolbar,
  SidePanel
} from '@jupyterlab/ui-components';
import type { ITranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { AccordionPanel } from '@lumino/widgets';
import { mltrackIcon } from '../components/icons';
import { ReactBox } from '../components/reactBox';
import type { IContext } from '../models/context';
import type { SidebarModel } from '../models/sidebar';
import { ExperimentsSection } from './experiments';
import { ModelsSection } from './models';
import { RunsSection, type SectionProps } from './runs';

/** What the panel needs. */
export interface PanelOptions {
  readonly model: SidebarModel;
  readonly context: IContext;
  readonly commands: CommandRegistry;
  readonly translator?: ITranslator;
}

/** The id of the sidebar in the shell. */
export const SIDEBAR_ID = 'mltrack-sidebar';

/** The sidebar. */
export class SidebarPanel extends SidePanel {
  private readonly _model: SidebarModel;

  constructor({ model, context, commands, translator }: PanelOptions) {
    super({ translator });
    this._model = model;
    this.id = SIDEBAR_ID;
    this.addClass('mltrack-Sidebar');
    this.node.dataset.testid = 'mltrack-sidebar';
    this.title.icon = mltrackIcon;
    this.title.caption = context.trans.__('MLTrack Experiments and Models');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this.title.caption);
    const refresh = new CommandToolbarButton({
      commands,
      id: 'mltrack:refresh',
      label: ''
    });
    const props: SectionProps = { model, context };
    const sections: [string, React.ReactElement][] = [
      [context.trans.__('Experiments'), <ExperimentsSection {...props} />],
      [context.trans.__('Runs'), <RunsSection {...props} />],
      [context.trans.__('Registered Models'), <ModelsSection {...props} />]
    ];
    for (const [title, element] of sections) {
      const section = new PanelWithToolbar();
      section.title.label = title;
      section.addWidget(new ReactBox(element, 'mltrack-Section'));
      this.addWidget(section);
    }
    const runs = this.widgets[1] as PanelWithToolbar;
    runs.toolbar.addItem('refresh', refresh);
    if (this.content instanceof AccordionPanel) {
      this.content.setRelativeSizes([3, 11, 4]);
    }
  }

  override dispose(): void {
    this._model.dispose();
    super.dispose();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._model.setActive(true);
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._model.setActive(this.isVisible);
  }

  protected override onBeforeHide(message: Message): void {
    this._model.setActive(false);
    super.onBeforeHide(message);
  }

  protected override onBeforeDetach(message: Message): void {
    this._model.setActive(false);
    super.onBeforeDetach(message);
  }
}
