import { mkdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { type Browser, type FrameLocator, type Locator, type Page, chromium } from 'playwright-core';
import { findChromium } from '../../../scripts/setup.mjs';
import { type Server, extensionsFolder, startServer } from './server';

export const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'high-contrast': 'Default High Contrast',
  'high-contrast-light': 'Default High Contrast Light',
} as const;
export type Theme = keyof typeof themes;

export interface WorkbenchOptions {
  /** Folder opened as the workspace; what tests change should be a copy. */
  folder: string;
  /** Folder of extensions; missing: the built checkout. */
  extensions?: string;
  theme?: Theme;
  /** Language of VS Code, such as `zh-cn`. */
  locale?: string;
  /** false: the workspace opens in restricted mode, as one that the user does not trust. */
  trusted?: boolean;
  /** Of the window, in CSS pixels. */
  size?: { width: number; height: number };
  /** More VS Code settings. */
  settings?: Record<string, unknown>;
  /** File of the folder opened at once. */
  open?: string;
}

/** Generous: a machine with two busy cores takes a while to start the extension host. */
const patience = 120_000;

/** Starts a real VS Code workbench in a headless browser, opened on a folder. */
export async function startWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error('No Chromium found: install one, or name it in CHROMIUM.');
  const server = await startServer({
    folder: options.folder,
    locale: options.locale,
    extensions: options.extensions ?? extensionsFolder(),
    settings: {
      'workbench.colorTheme': themes[options.theme ?? 'dark'],
      // In restricted mode from the start, instead of a dialog that asks.
      'security.workspace.trust.enabled': options.trusted === false,
      'security.workspace.trust.startupPrompt': 'never',
      ...options.settings,
    },
  });
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({
      executablePath,
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
        ...['--disable-background-networking', '--disable-component-update'],
      ],
    });
    const context = await browser.newContext({
      viewport: options.size ?? { width: 1280, height: 800 },
      locale: options.locale,
    });
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], {
      origin: new URL(server.url).origin,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    await page.goto(server.url);
    await page.locator('.monaco-workbench .explorer-folders-view').waitFor();
    const workbench = new Workbench(page, resolve(options.folder), server, browser);
    if (options.open !== undefined) await workbench.open(relative(options.folder, options.open));
    return workbench;
  } catch (error) {
    await browser?.close();
    await server.stop();
    throw new Error(`The workbench did not open; the server printed:\n${server.output()}`, { cause: error });
  }
}

/** A running workbench and the gestures that tests make in it. */
export class Workbench {
  constructor(
    readonly page: Page,
    readonly folder: string,
    private readonly server: Server,
    private readonly browser: Browser,
  ) {}

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
  }

  /** As a system without memory, or a crash, may end it. */
  killBusiestWorker(): void {
    this.server.killBusiestWorker();
  }

  /** As a file system does that takes no large files (on Linux alone). */
  limitFilesOfBusiestWorker(bytes: number): void {
    this.server.limitFilesOfBusiestWorker(bytes);
  }

  async setTheme(theme: Theme): Promise<void> {
    const [label, kind] = {
      dark: ['Dark Modern', 'vs-dark'],
      light: ['Light Modern', 'vs'],
      'high-contrast': ['Dark High Contrast', 'hc-black'],
      'high-contrast-light': ['Light High Contrast', 'hc-light'],
    }[theme];
    await this.run('Preferences: Color Theme');
    await this.answer(label);
    await this.page.locator(`.monaco-workbench.${kind}`).waitFor();
  }

  /** Chooses an entry of the list that VS Code asks with. */
  async choose(entry: string | RegExp): Promise<void> {
    await this.page.locator('.quick-input-list [role=option]').filter({ hasText: entry }).first().click();
  }

  /** Types into the line that VS Code asks with, in place of what it suggests, and presses Enter. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget .quick-input-box input');
    await input.fill(text);
    await input.press('Enter');
  }

  /** Answers VS Code's own file dialog with a path, again while it stands: what comes while it reads a folder is lost. */
  async answerDialog(path: string): Promise<void> {
    const dialog = this.page.locator('.quick-input-widget').filter({ hasText: 'OK' });
    await dialog.locator('.quick-input-list [role=option]').first().waitFor();
    await retry(async () => {
      if (!(await dialog.isVisible())) return;
      const input = dialog.locator('.quick-input-box input');
      await input.fill(path, { timeout: 5_000 });
      // It looks the path up on the disk; until then Enter would take the folder that it showed before.
      await this.page.waitForTimeout(500);
      await input.press('Enter', { timeout: 5_000 });
      await dialog.waitFor({ state: 'hidden', timeout: 5_000 });
    });
  }

  /** The page of the custom editor that is shown, two frames deep. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** The tab of an editor, by its title. */
  tab(title: string): Locator {
    return this.page.locator('.tab').filter({ hasText: title });
  }

  /** The explorer's row of a file or folder, given relative to the workspace; its parents get unfolded. */
  async inExplorer(path: string): Promise<Locator> {
    const parts = relative(this.folder, resolve(this.folder, path)).split(sep);
    let row: Locator | undefined;
    for (const [depth, part] of parts.entries()) {
      row = this.page
        .locator(`.explorer-folders-view [role=treeitem][aria-level="${depth + 1}"]`)
        .filter({ has: this.page.getByText(part, { exact: true }) });
      // Until VS Code watches the folder it misses files that come.
      await row.waitFor({ timeout: 10_000 }).catch(() => this.run('Refresh Explorer'));
      await row.waitFor();
      if (depth < parts.length - 1 && (await row.getAttribute('aria-expanded')) !== 'true') await row.click();
    }
    return row!;
  }

  /**
   * Opens a file by double click in the explorer and waits for its tab. Until VS Code knows the extension it opens
   * nothing, or a model as text: then it is closed and opened again.
   */
  async open(path: string): Promise<void> {
    const name = path.split('/').at(-1)!;
    await retry(async () => {
      await (await this.inExplorer(path)).dblclick();
      await this.tab(name).waitFor({ timeout: 5_000 });
      const page = this.page.locator('iframe.webview.ready').last();
      const text = this.page.locator('.editor-instance .monaco-editor');
      const refused = this.page.getByText('not displayed in the text editor');
      await page.or(text).or(refused).first().waitFor({ timeout: 20_000 });
      const early =
        /\.caffemodel(\.h5)?$/.test(name) && ((await text.count()) > 0 || (await refused.isVisible()));
      if (!early) return;
      await this.tab(name).click({ button: 'middle' });
      throw new Error(`${name} was opened before its editor was known`);
    });
  }

  /** Chooses an item of the explorer's context menu, with one or several files selected. */
  async contextMenu(paths: string | string[], item: string): Promise<void> {
    const all = [paths].flat();
    await retry(async () => {
      // A plain click would open the file too, and before VS Code knows the extension as text, in a tab of its own.
      if (all.length > 1)
        for (const [at, path] of all.entries())
          await (await this.inExplorer(path)).click({ modifiers: at === 0 ? [] : ['ControlOrMeta'] });
      const last = await this.inExplorer(all.at(-1)!);
      const place = await last.boundingBox();
      await last.click({ button: 'right' });
      const entry = this.page.getByRole('menuitem', { name: item }).first();
      try {
        await entry.waitFor({ timeout: 5_000 });
        // Files that come meanwhile move the rows: the click may have met another.
        if ((await last.boundingBox())?.y !== place?.y) throw new Error('the explorer moved');
        // The menu ignores clicks in its first moments.
        await entry.hover();
        await this.page.waitForTimeout(300);
        await entry.click({ timeout: 5_000 });
        await entry.waitFor({ state: 'hidden', timeout: 2_000 });
      } catch (error) {
        await this.page.keyboard.press('Escape');
        throw error;
      }
    });
  }

  /** Runs a command by its title from the command palette. */
  async run(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input[type=text]');
    await retry(async () => {
      await this.page.keyboard.press('F1');
      // Not the whole patience: F1 closes a palette that was still open, and only another turn opens it again.
      await input.fill(`>${title}`, { timeout: 5_000 });
      const entry = this.page.locator('.quick-input-list [role=option]').filter({ hasText: title }).first();
      try {
        await entry.waitFor({ timeout: 5_000 });
      } catch (error) {
        // An open palette keeps the commands that were there when it opened.
        await this.page.keyboard.press('Escape');
        throw error;
      }
      await entry.click();
    });
  }

  /** Loads the window again, as after a restart. In the browser VS Code keeps its state every five seconds only. */
  async reload(): Promise<void> {
    await this.page.waitForTimeout(6_000);
    await this.page.reload();
    await this.page.locator('.monaco-workbench .explorer-folders-view').waitFor();
  }

  /** A notification that holds the text. */
  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-toast, .monaco-dialog-box').filter({ hasText: text });
  }

  /** Presses a button of a notification, again while it stands: a click is lost when notifications move. */
  async press(notification: Locator, button: string): Promise<void> {
    await notification.waitFor();
    await retry(async () => {
      if (!(await notification.isVisible())) return;
      await notification.getByRole('button', { name: button }).click({ timeout: 5_000 });
      await notification.waitFor({ state: 'hidden', timeout: 5_000 });
    });
  }

  /** Saves a picture of the window to test/e2e/screenshots, or to the path that is given. */
  async screenshot(name: string): Promise<void> {
    const path = name.includes('/') ? name : join('test/e2e/screenshots', `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
  }
}

/** Does it again while it fails, for as long as a slow machine may need. */
export async function retry<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 500));
    }
  }
}
