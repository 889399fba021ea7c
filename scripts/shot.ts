// Takes a picture of the extension in a real workbench, for those who work on its looks:
//   npm run shot -- FILE [--theme dark|light|high-contrast|high-contrast-light] [--size 1280x800] [--out FILE.png]
//                   [--folder WORKSPACE] [--locale zh-cn] [--untrusted] [--run COMMAND]…
//                   [--click SELECTOR]… [--wait MS]
// It opens FILE, runs commands by their titles, clicks what --click names inside the webview (Playwright selectors), waits and takes the picture.
// The built checkout is used: `npm run build` first.
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Theme, startWorkbench } from '../test/e2e/workbench';
import { installWorkbench } from '../test/e2e/workbench/install';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    theme: { type: 'string', default: 'dark' },
    size: { type: 'string', default: '1280x800' },
    out: { type: 'string', default: 'test/e2e/screenshots/shot.png' },
    folder: { type: 'string' },
    locale: { type: 'string' },
    untrusted: { type: 'boolean', default: false },
    run: { type: 'string', multiple: true, default: [] },
    click: { type: 'string', multiple: true, default: [] },
    wait: { type: 'string', default: '3000' },
  },
});
const open = resolve(positionals[0]);
const [width, height] = values.size.split('x').map(Number);

installWorkbench();
const workbench = await startWorkbench({
  folder: values.folder ?? dirname(open),
  open,
  theme: values.theme as Theme,
  locale: values.locale,
  trusted: !values.untrusted,
  size: { width, height },
});
/** What this workbench says of itself: native modules it lacks, hosts it cannot reach. */
const ownNoise = /bindings file|native-watchdog|ERR_NAME_NOT_RESOLVED|AccountPolicyGate|AgentHost|open-vsx/;
workbench.page.on('console', (message) => {
  if (!ownNoise.test(message.text())) console.log(`[${message.type()}] ${message.text()}`);
});
workbench.page.on('pageerror', (error) => console.log(`[page error] ${error.message}`));
try {
  await workbench.page.locator('.tab').first().waitFor();
  for (const title of values.run) await workbench.run(title);
  for (const selector of values.click) await workbench.webview().locator(selector).first().click();
  await workbench.page.waitForTimeout(Number(values.wait));
} finally {
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  await workbench.screenshot(out);
  console.log(out);
  await workbench.stop();
}
process.exit(0);
