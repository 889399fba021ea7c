import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import type { PageStart } from '../protocol';

/** Escapes for use in HTML text and quoted attributes. */
const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Folder of the bundled pages: the one place a page may load from. */
export const pageRoot = (extension: vscode.Uri): vscode.Uri =>
  vscode.Uri.joinPath(extension, 'dist', 'webview');

/**
 * The HTML of a page: nothing is allowed but our own script (by nonce), style and font, and what the page is to know from the
 * start lies in a data attribute, where it cannot become code.
 */
export function pageHtml<Start extends PageStart>(
  webview: vscode.Webview,
  extension: vscode.Uri,
  page: 'model' | 'graph',
  start: Start,
): string {
  const nonce = randomBytes(16).toString('base64');
  const file = (name: string) =>
    escapeHtml(webview.asWebviewUri(vscode.Uri.joinPath(pageRoot(extension), name)).toString());
  // Controls set styles from script, which needs 'unsafe-inline' for styles; no content of a file becomes a style.
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'unsafe-inline'`,
    `font-src ${webview.cspSource} data:`,
    `img-src ${webview.cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(start.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${file(`${page}.css`)}">
<title>${escapeHtml(start.fileName)}</title>
</head>
<body data-start="${escapeHtml(JSON.stringify(start))}">
<div id="root"></div>
<script nonce="${nonce}" src="${file(`${page}.js`)}"></script>
</body>
</html>`;
}
