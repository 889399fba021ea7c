import type { PageJobs } from '../src/protocol';
import { JobClient, type Response } from '../src/rpc';
import { fromText } from '../src/wire';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

const vscode = acquireVsCodeApi();

/** The extension, as the page sees it: `host.run('histogram', …)`. */
export const host = new JobClient<PageJobs>((request) => vscode.postMessage(request));
addEventListener('message', (message: MessageEvent<string>) =>
  host.receive(fromText(message.data) as Response<PageJobs>),
);

/** What the page kept when its tab was hidden, or undefined. */
export const restoredState = (): unknown => vscode.getState();

/** Keeps `state` for when the tab is shown again; the page itself is gone meanwhile. */
export const keepState = (state: unknown): void => vscode.setState(state);
