import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';

/** A file that the worker process can read. */
export interface LocalFile {
  path: string;
  dispose(): Promise<void>;
}

/**
 * The file itself where it is on this machine's disk, otherwise (virtual workspaces) a temporary copy of what the
 * file system provider gives, removed with `dispose`.
 */
export async function toLocalFile(uri: vscode.Uri): Promise<LocalFile> {
  if (uri.scheme === 'file') return { path: uri.fsPath, dispose: () => Promise.resolve() };
  const bytes = await vscode.workspace.fs.readFile(uri);
  const folder = await mkdtemp(join(tmpdir(), 'caffe-pruner-'));
  const path = join(folder, fileNameOf(uri));
  await writeFile(path, bytes, { mode: 0o600 });
  return { path, dispose: () => rm(folder, { recursive: true, force: true }) };
}

/** Folders of the workspace, in which jobs look for the files that a prototxt names. */
export const workspacePaths = (): string[] | undefined =>
  vscode.workspace.workspaceFolders?.map(({ uri }) => uri.fsPath);

/** Last part of the path, safe as a file name on every system. */
export const fileNameOf = (uri: vscode.Uri): string =>
  (uri.path.split('/').at(-1) ?? '').replace(/[<>:"|?*\\]/g, '_') || 'model';
