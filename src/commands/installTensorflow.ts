import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { tensorflowFolder } from '../editor/engine';
import { tensorflowPackage } from '../tensor/native';
import { reasonOfFailure } from './npmFailure';
import type { CommandContext } from './context';

/** Installs TensorFlow's library beside the extension with npm, and offers to compute with it. */
export async function installTensorflow({ log }: CommandContext): Promise<void> {
  const folder = tensorflowFolder();
  const { name, version } = tensorflowPackage;
  const failure = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t('Installing native TensorFlow'),
      cancellable: true,
    },
    async (progress, token) => {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
      const args = ['install', `${name}@${version}`, '--no-audit', '--no-fund'];
      return run('npm', args, folder, token, (line) => {
        log.info(line);
        progress.report({ message: line.slice(0, 80) });
      });
    },
  );
  if (failure === undefined) {
    const use = vscode.l10n.t('Use It');
    const message = vscode.l10n.t('Native TensorFlow {0} is installed.', version);
    if ((await vscode.window.showInformationMessage(message, use)) !== use) return;
    const settings = vscode.workspace.getConfiguration('caffePruner');
    await settings.update('engine', 'native', vscode.ConfigurationTarget.Global);
    return;
  }
  if (failure === 'cancelled') return;
  const showLog = vscode.l10n.t('Show Log');
  const message = vscode.l10n.t(
    'Native TensorFlow could not be installed: {0}. The portable engine works without it.',
    failure,
  );
  if ((await vscode.window.showErrorMessage(message, showLog)) === showLog) log.show();
}

function describeFailure(errors: readonly string[], code: number | null): string {
  const { reason, unreachable } = reasonOfFailure(errors);
  if (unreachable !== undefined) {
    return vscode.l10n.t(
      '{0} cannot be reached; check the network, or the proxy settings of npm',
      unreachable,
    );
  }
  return reason ?? vscode.l10n.t('npm ended with code {0}', code ?? 0);
}

/** Runs a program to its end. @returns undefined when it succeeded, else why it did not */
function run(
  command: string,
  args: string[],
  cwd: string,
  token: vscode.CancellationToken,
  print: (line: string) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, shell: process.platform === 'win32' });
    const errors: string[] = [];
    token.onCancellationRequested(() => child.kill());
    const read = (stream: NodeJS.ReadableStream) =>
      stream.setEncoding('utf8' as BufferEncoding).on('data', (text: string) => {
        for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
          print(line);
          if (/\b(err(or|!)?)\b/i.test(line)) errors.push(line);
        }
      });
    read(child.stdout);
    read(child.stderr);
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve(
        error.code === 'ENOENT'
          ? vscode.l10n.t('npm was not found; install Node.js, and start VS Code again')
          : error.message,
      ),
    );
    child.on('exit', (code) => {
      if (token.isCancellationRequested) resolve('cancelled');
      else resolve(code === 0 ? undefined : describeFailure(errors, code));
    });
  });
}
