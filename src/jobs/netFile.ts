import { readFile } from 'node:fs/promises';
import { CaffeError } from '../caffe/errors';
import type { NetParameter, SolverParameter } from '../caffe/messages';
import { parseNet, parseSolver } from '../caffe/readNet';

const readText = (path: string, what: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(`${what} cannot be read (${cause.code ?? cause.message})`, { file: path, cause });
  });

/** Reads a net from a prototxt file. @throws CaffeError with the line where the text is no net */
export const readNetFile = async (path: string): Promise<NetParameter> =>
  parseNet(await readText(path, 'The net'), path);

/** Reads a solver from a prototxt file. @throws CaffeError with the line where the text is no solver */
export const readSolverFile = async (path: string): Promise<SolverParameter> =>
  parseSolver(await readText(path, 'The solver'), path);
