import { expect, test } from '@jupyterlab/galata';
import type { Locator, Page } from '@playwright/test';
import * as path from 'path';
import { Tracker } from './helpers';

const QUICKSTART = path.resolve(__dirname, '../../examples/quickstart.ipynb');
const CANVAS = 'mltrack-parcoords-canvas';
const BRUSHED_AXIS = 'metrics.accuracy';
const TRACKED_CELL = 3;
const COMPARE_CELL = 9;

/** Drags along an axis, from one height to another (0 is its top, 1 its bottom). */
async function brush(page: Page, view: Locator, key: string, from: number, to: number) {
  const axis = view.locator(`[data-testid="mltrack-axis"][data-key="${key}"]`);
  const target = axis.getByTestId('mltrack-axis-brush');
  const box = (await target.boundingBox())!;
  const x = box.x + box.width / 2;
  await page.mouse.move(x, box.y + box.height * from);
  await page.mouse.down();
  await page.mouse.move(x, box.y + box.height * ((from + to) / 2), { steps: 4 });
  await page.mouse.move(x, box.y + box.height * to, { steps: 4 });
  await page.mouse.up();
}

test('a newcomer tracks, watches, compares, registers and comes back', async ({ page, tmpPath }) => {
  const foreign: string[] = [];
  page.on('request', request => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.hostname !== '127.0.0.1') {
      foreign.push(request.url());
    }
  });
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(String(error)));
  const tracker = new Tracker(page);

  // Open the quickstart, with the sidebar beside it.
  await page.contents.uploadFile(QUICKSTART, `${tmpPath}/quickstart.ipynb`);
  await page.notebook.openByPath(`${tmpPath}/quickstart.ipynb`);
  await page.notebook.activate('quickstart.ipynb');
  const sidebar = await tracker.openSidebar();

  // Run all; the runs of a kernel appear without a click while it is still busy.
  await page.menu.clickMenuItem('Run>Run All Cells');
  await expect(tracker.run('first-tree')).toBeVisible({ timeout: 90000 });
  await expect(tracker.run('leaves-').first()).toBeVisible({ timeout: 90000 });
  const last = page.locator('.jp-Notebook .jp-Cell').last().locator('.jp-OutputArea-output');
  await expect(last).toContainText('as it was logged', { timeout: 120000 });
  await expect(sidebar.getByTestId('mltrack-run-count')).toContainText('100');
  await expect(sidebar.getByTestId('mltrack-model-row')).toContainText('iris-tree');
  await page.screenshot({ path: 'test-results/1-after-run-all.png' });
  await sidebar.getByTestId('mltrack-model-row').click();
  await expect(sidebar.getByTestId('mltrack-version-row').first()).toContainText('champion');
  await expect(sidebar.getByTestId('mltrack-version-row').first()).toContainText('Production');

  // The card of a tracked cell tells what happened.
  // (JupyterLab keeps only the cells in sight; to select one brings it there.)
  const card = page.getByTestId('mltrack-card').first();
  await page.notebook.selectCells(TRACKED_CELL);
  await expect(card).toContainText('first-tree');
  await expect(card).toContainText('accuracy');

  await page.screenshot({ path: 'test-results/2-card.png' });

  // Compare: a hundred lines are painted, and a brush leaves the good ones.
  const compare = page.locator('.jp-OutputArea-output').filter({ has: page.getByTestId(CANVAS) });
  const first = compare.first();
  await page.notebook.selectCells(COMPARE_CELL);
  await first.scrollIntoViewIfNeeded();
  const canvas = first.getByTestId(CANVAS).first();
  await expect.poll(() => tracker.painted(canvas)).toBeGreaterThan(5000);
  const whole = await canvas.screenshot();
  await brush(page, first, BRUSHED_AXIS, 0.0, 0.2);
  await expect(async () => expect(await canvas.screenshot()).not.toEqual(whole)).toPass();

  await page.screenshot({ path: 'test-results/3-brushed.png' });

  // Filter as MLflow's users do, and compare in the main area what is picked in the sidebar.
  const filter = sidebar.getByTestId('mltrack-filter');
  await filter.fill("params.max_leaf_nodes = '4'");
  await filter.press('Enter');
  await expect(sidebar.getByTestId('mltrack-run-row')).toHaveCount(10);
  await tracker.run('leaves-4-depth-2').getByTestId('mltrack-run-checkbox').check();
  await tracker.run('leaves-4-depth-3').getByTestId('mltrack-run-checkbox').check();
  await tracker.run('leaves-4-depth-9').getByTestId('mltrack-run-checkbox').check();
  await sidebar.getByTestId('mltrack-compare-button').first().click();
  const document = page.getByTestId('mltrack-compare');
  await expect(document).toBeVisible();
  const plot = document.getByTestId(CANVAS).first();
  await expect.poll(() => tracker.painted(plot)).toBeGreaterThan(500);

  await page.screenshot({ path: 'test-results/4-compare.png' });

  // Register a run from its page.
  await filter.fill("run_name = 'second-tree'");
  await filter.press('Enter');
  await tracker.run('second-tree').dblclick();
  const runPage = page.getByTestId('mltrack-run-page');
  await expect(runPage).toBeVisible();
  await expect(runPage).toContainText('max_leaf_nodes');
  await page.screenshot({ path: 'test-results/5-run-page.png' });
  await runPage.getByTestId('mltrack-register-button').first().click();
  const dialog = page.locator('.jp-Dialog');
  await dialog.locator('input').first().fill('second-model');
  await page.screenshot({ path: 'test-results/6-register.png' });
  await dialog.getByRole('button', { name: 'Register' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(
    sidebar.getByTestId('mltrack-model-row').filter({ hasText: 'second-model' })
  ).toBeVisible();

  // Close the notebook, end its kernel, open it again: the views are alive without one.
  await page.notebook.activate('quickstart.ipynb');
  await page.notebook.save();
  await page.notebook.close();
  await page.kernel.shutdownAll();
  await page.sidebar.openTab('filebrowser');
  await page.notebook.openByPath(`${tmpPath}/quickstart.ipynb`);
  await page.notebook.activate('quickstart.ipynb');
  const again = page
    .locator('.jp-OutputArea-output')
    .filter({ has: page.getByTestId(CANVAS) })
    .first();
  await page.notebook.selectCells(TRACKED_CELL);
  await expect(page.getByTestId('mltrack-card').first()).toContainText('first-tree');
  await page.notebook.selectCells(COMPARE_CELL);
  await again.scrollIntoViewIfNeeded();
  await expect
    .poll(() => tracker.painted(again.getByTestId(CANVAS).first()))
    .toBeGreaterThan(5000);

  await page.screenshot({ path: 'test-results/7-reopened.png' });

  // And so they are in the dark.
  await page.theme.setDarkTheme();
  await expect
    .poll(() => tracker.painted(again.getByTestId(CANVAS).first()))
    .toBeGreaterThan(5000);
  await tracker.openSidebar();
  await page.screenshot({ path: 'test-results/8-dark.png' });

  expect(foreign).toEqual([]);
  expect(errors).toEqual([]);
});
