import type * as vscode from 'vscode';

/** Wires the rooms together, nothing else. */
export function activate(_context: vscode.ExtensionContext): void {}
