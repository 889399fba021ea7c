import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { retry, type Workbench } from './workbench';

/** A running workbench on a project. */
interface Session {
  readonly workbench: Workbench;
  readonly folder: string;
}

const textOf = ({ folder }: Session, file: string): string => readFileSync(join(folder, file), 'utf8');

/** Opens a file and puts the cursor behind the first `text` in it, as it is on disk. */
export async function goTo(session: Session, file: string, text: string): Promise<void> {
  const { workbench } = session;
  const contents = textOf(session, file);
  const at = contents.indexOf(text);
  if (at < 0) throw new Error(`${file} holds no ${text}`);
  const lines = contents.slice(0, at + text.length).split('\n');
  await workbench.open(file);
  await workbench.page
    .locator('.monaco-editor textarea, .monaco-editor .native-edit-context')
    .first()
    .focus();
  await workbench.page.keyboard.press('Control+g');
  const input = workbench.page.locator('.quick-input-widget input[type=text]');
  await input.fill(`:${lines.length}:${lines.at(-1)!.length + 1}`);
  await workbench.page.keyboard.press('Enter');
  await cursorAt(session, lines.length, lines.at(-1)!.length + 1);
}

/** Waits for the cursor to be at a line and column, from 1. */
export const cursorAt = ({ workbench }: Session, line: number, column: number): Promise<void> =>
  workbench.page
    .locator('.statusbar')
    .getByText(`Ln ${line}, Col ${column}`, { exact: true })
    .waitFor({ timeout: 10_000 });

/** Saves the file that is open until what is on disk is as it should be. */
export const savedText = (
  session: Session,
  file: string,
  isRight: (text: string) => boolean,
): Promise<string> =>
  retry(async () => {
    await session.workbench.page.keyboard.press('Control+s');
    const text = textOf(session, file);
    // VS Code empties a file before it writes it.
    if (text === '' || !isRight(text)) throw new Error(`${file} is not as it should be: ${text}`);
    return text;
  });

/** Takes the quick fix at the cursor whose title holds `title`. */
export async function quickFix({ workbench }: Session, title: string): Promise<void> {
  const fix = workbench.page.locator('.action-widget .action').filter({ hasText: title }).first();
  await retry(async () => {
    await workbench.page.keyboard.press('Control+.');
    // Problems are found a moment after the text.
    await fix.click({ timeout: 3_000 }).catch(async (error: unknown) => {
      await workbench.page.keyboard.press('Escape');
      throw error;
    });
  });
}
