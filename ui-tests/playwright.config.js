const base = require('@jupyterlab/galata/lib/playwright-config');
const { existsSync } = require('fs');

const port = process.env.UI_TEST_PORT || '8931';
process.env.TARGET_URL ??= `http://127.0.0.1:${port}`;
const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const chromium = process.env.CHROMIUM || candidates.find(existsSync);

module.exports = {
  ...base,
  testDir: './tests',
  timeout: 240000,
  workers: 1,
  retries: 0,
  reporter: [['list']],
  outputDir: 'test-results',
  use: {
    ...base.use,
    baseURL: process.env.TARGET_URL,
    actionTimeout: 20000,
    viewport: { width: 1400, height: 1000 },
    video: 'off', // would want Playwright's own ffmpeg
    trace: 'off',
    browserName: 'chromium',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  webServer: {
    command: `jupyter lab --config jupyter_server_test_config.py --ServerApp.port=${port}`,
    url: `${process.env.TARGET_URL}/lab`,
    timeout: 120000,
    reuseExistingServer: false,
    stdout: 'pipe'
  }
};
