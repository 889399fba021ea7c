import { createHash } from 'node:crypto';
import type { NetParameter, SolverParameter } from '../caffe/messages';
import { parseNet, parseSolver } from '../caffe/readNet';
import { readText } from '../caffe/readText';
import { phrase } from '../phrase';

/** Reads a net from a prototxt file. @throws CaffeError with the line where the text is no net */
export const readNetFile = async (path: string): Promise<NetParameter> =>
  parseNet(await readText(path, phrase`The net`), path);

/** Reads a solver from a prototxt file. @throws CaffeError with the line where the text is no solver */
export const readSolverFile = async (path: string): Promise<SolverParameter> =>
  parseSolver(await readText(path, phrase`The solver`), path);

/** SHA-256 of what a net says: layout and comments, such as pruning hints, are no part of it. */
export const digestOfNet = (net: NetParameter): string =>
  createHash('sha256')
    .update(JSON.stringify(net, (key, value: unknown) => (key === 'line' ? undefined : value)))
    .digest('hex');
