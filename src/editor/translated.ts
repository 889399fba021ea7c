import * as vscode from 'vscode';
import { type Part, textOf } from '../phrase';

/** What a job or the language says, in the user's language. */
export const translated = (said: Part): string => textOf(said, vscode.l10n.bundle);
