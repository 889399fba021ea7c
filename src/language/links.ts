import { isAbsolute, posix } from 'node:path';
import * as vscode from 'vscode';
import type { MessageNode, Span } from '../caffe/prototxt/tree';
import { insideQuotes } from '../caffe/prototxt/netText';
import { stringValue } from '../caffe/prototxt/values';
import type { Analysis } from './analysis';
import { rangeOf, selector, type Documents } from './documents';

/** Fields that name a file or folder, of solvers and of layers. */
const fileFields = new Set([
  'net',
  'train_net',
  'test_net',
  'snapshot',
  'weights',
  'source',
  'mean_file',
  'root_folder',
  'label_map_file',
  'name_size_file',
  'output_directory',
]);

/** A field that names a file. */
export interface FileReference {
  field: string;
  path: string;
  span: Span;
}

/** All files that a prototxt names, in order. */
export function fileReferences({ prototxt }: Analysis): FileReference[] {
  const found: FileReference[] = [];
  const visit = (message: MessageNode) => {
    for (const { name, values } of message.fields)
      for (const value of values)
        if (value.kind === 'message') visit(value);
        else if (value.kind === 'string' && fileFields.has(name)) {
          const path = stringValue(prototxt.text, value);
          if (path !== '') found.push({ field: name, path, span: insideQuotes(prototxt.text, value) });
        }
  };
  visit(prototxt.root);
  return found;
}

/**
 * Where a path in a prototxt may lead, in the order to look: Caffe takes it from the folder it is started in, which is often a
 * folder above the file; so the file's own folder and those above it, up to the workspace folder.
 */
export function candidates(document: vscode.Uri, path: string): vscode.Uri[] {
  const plain = path.replace(/\\/g, '/');
  if (isAbsolute(path)) return [document.with({ path: plain.startsWith('/') ? plain : `/${plain}` })];
  const root = vscode.workspace.getWorkspaceFolder(document)?.uri.path;
  const found: vscode.Uri[] = [];
  for (let folder = posix.dirname(document.path); ; folder = posix.dirname(folder)) {
    found.push(document.with({ path: posix.join(folder, plain) }));
    if (root === undefined || folder === root || folder === '/' || found.length > 16) return found;
  }
}

/** The first candidate that is there. */
export async function resolveFile(document: vscode.Uri, path: string): Promise<vscode.Uri | undefined> {
  for (const uri of candidates(document, path))
    try {
      await vscode.workspace.fs.stat(uri);
      return uri;
    } catch {
      continue;
    }
  return undefined;
}

class FileLink extends vscode.DocumentLink {
  constructor(
    range: vscode.Range,
    readonly document: vscode.Uri,
    readonly path: string,
  ) {
    super(range);
    this.tooltip = vscode.l10n.t('Open {0}', path);
  }
}

/** Where a link leads: to the file, or to a folder, such as a database, in the explorer. */
async function targetOf(document: vscode.Uri, path: string): Promise<vscode.Uri | undefined> {
  const uri = await resolveFile(document, path);
  if (!uri || (await vscode.workspace.fs.stat(uri)).type !== vscode.FileType.Directory) return uri;
  const { scheme, authority, path: folder } = uri;
  const argument = encodeURIComponent(JSON.stringify([{ scheme, authority, path: folder }]));
  return vscode.Uri.parse(`command:${revealFolder}?${argument}`);
}

/**
 * A command of our own: with the window on another machine than the files, a link to VS Code's own would name a folder of
 * the window's machine.
 */
const revealFolder = 'caffePruner.revealFolder';

/** Links from `net:`, `source:`, `mean_file:`, `weights:` and the like to the files. */
export const registerLinks = (documents: Documents): vscode.Disposable =>
  vscode.Disposable.from(
    vscode.commands.registerCommand(revealFolder, (folder: Parameters<typeof vscode.Uri.from>[0]) =>
      vscode.commands.executeCommand('revealInExplorer', vscode.Uri.from(folder)),
    ),
    vscode.languages.registerDocumentLinkProvider(selector, {
      async provideDocumentLinks(document) {
        const links = fileReferences(documents.analysis(document)).map(
          ({ path, span }) => new FileLink(rangeOf(document, span), document.uri, path),
        );
        // A link that leads nowhere is worse than none.
        const targets = await Promise.all(links.map(({ path }) => targetOf(document.uri, path)));
        return links.filter((link, index) => (link.target = targets[index]) !== undefined);
      },
    }),
  );
