import type { Tint } from './tint';
import type { GraphJobs } from '../../src/protocol';
import { fromText } from '../../src/wire';
import { JobClient, type Response } from '../../src/rpc';

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};
const vscode = acquireVsCodeApi();

/** The extension, as the page sees it. */
export const host = new JobClient<GraphJobs>((request) => vscode.postMessage(request));
addEventListener('message', (message: MessageEvent<string>) =>
  host.receive(fromText(message.data) as Response<GraphJobs>),
);

/** What the page keeps while its tab is hidden. */
export interface Kept {
  /** The prototxt, which the extension draws again when the window comes back. */
  uri: string;
  phase?: 'TRAIN' | 'TEST';
  tint: Tint;
  /** Undefined until the net was seen once: then it is made to fit. */
  scale?: number;
  asTable: boolean;
}

export const restored = (uri: string): Kept => ({
  tint: 'type',
  asTable: false,
  ...(vscode.getState() as Partial<Kept> | undefined),
  uri,
});
export const keep = (kept: Kept): void => vscode.setState(kept);
