import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';

const cell = (source: string, id: string) => ({
  cell_type: 'code',
  execution_count: null,
  metadata: {},
  outputs: [],
  id,
  source
});

/** A notebook of these cells, as a file. */
export const notebook = (...sources: string[]) =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: 'python3', display_name: 'Python 3 (ipykernel)', language: 'python' }
    },
    cells: sources.map((source, i) => cell(source, `cell-${i}`))
  });

/** What a person does with mltrack_jupyter in JupyterLab, so that a test reads as sentences. */
export class Tracker {
  constructor(readonly page: IJupyterLabPageFixture) {}

  /** The sidebar, opened. */
  async openSidebar(): Promise<Locator> {
    const sidebar = this.page.getByTestId('mltrack-sidebar');
    if (!(await sidebar.isVisible())) {
      await this.page.getByRole('tab', { name: 'MLTrack' }).click();
    }
    await expect(sidebar).toBeVisible();
    return sidebar;
  }

  /** A run in the sidebar by its name. */
  run(name: string): Locator {
    return this.page
      .getByTestId('mltrack-sidebar')
      .getByTestId('mltrack-run-row')
      .filter({ hasText: name });
  }

  /** How many pixels of a canvas are painted. */
  async painted(canvas: Locator): Promise<number> {
    return canvas.evaluate(element => {
      const source = element as HTMLCanvasElement;
      const copy = document.createElement('canvas');
      copy.width = source.width;
      copy.height = source.height;
      const context = copy.getContext('2d')!;
      context.drawImage(source, 0, 0);
      const { data } = context.getImageData(0, 0, copy.width, copy.height);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) {
        count += data[i] > 0 ? 1 : 0;
      }
      return count;
    });
  }

  /** A request to the tracking REST of this server, with the page's own session. */
  async ask<T>(path: string, body?: unknown): Promise<T> {
    return this.page.evaluate(
      async ([path, body]) => {
        const xsrf = /_xsrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
        const answer = await fetch(`/mltrack${path}`, {
          method: body === undefined ? 'GET' : 'POST',
          headers: { 'Content-Type': 'application/json', 'X-XSRFToken': xsrf },
          body: body === undefined ? undefined : JSON.stringify(body)
        });
        if (!answer.ok) {
          throw new Error(`${answer.status} ${await answer.text()}`);
        }
        return answer.json();
      },
      [path, body] as const
    ) as Promise<T>;
  }
}
