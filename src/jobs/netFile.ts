import type { NetParameter, SolverParameter } from '../caffe/messages';
import { parseNet, parseSolver } from '../caffe/readNet';
import { readText } from '../caffe/readText';

/** Reads a net from a prototxt file. @throws CaffeError with the line where the text is no net */
export const readNetFile = async (path: string): Promise<NetParameter> =>
  parseNet(await readText(path, 'The net'), path);

/** Reads a solver from a prototxt file. @throws CaffeError with the line where the text is no solver */
export const readSolverFile = async (path: string): Promise<SolverParameter> =>
  parseSolver(await readText(path, 'The solver'), path);
