import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { atomicWrite } from '../caffe/atomicWrite';
import { openFile } from '../caffe/byteSource';
import { CaffeError, sentences } from '../caffe/errors';
import { openModel } from '../caffe/model';
import { readBlob } from '../caffe/readBlob';
import { writeModel } from '../caffe/writeModel';
import { phrase } from '../phrase';
import type { Trainer } from './trainer';

/** What a job needs to go on, besides the weights and the `.solverstate` that Caffe knows. */
export interface Progressed<Notes = unknown> {
  /** Values by name, such as masks. */
  arrays: ReadonlyMap<string, Float32Array>;
  /** What can be told in JSON. */
  notes: Notes;
}

/** The files of a checkpoint, found from its `.solverstate`, or `.solverstate.h5`. */
function filesOf(state: string) {
  const [, base, hdf5 = ''] = /^(.*)\.solverstate(\.h5)?$/s.exec(state) ?? ['', state];
  return {
    state,
    model: `${base}.caffemodel${hdf5}`,
    arrays: `${base}.progress.caffemodel`,
    notes: `${base}.progress.json`,
  };
}

/**
 * Writes `<prefix>_iter_<n>.caffemodel` and `.solverstate` as Caffe does, and what was progressed in `.progress.*`
 * beside them. The `.solverstate` comes last: where it is, the checkpoint is whole.
 * @returns the path of the `.solverstate`
 */
export async function writeCheckpoint(
  trainer: Trainer,
  prefix: string,
  { arrays, notes }: Progressed,
  signal: AbortSignal,
): Promise<string> {
  const files = filesOf(trainer.snapshotFiles(prefix).state);
  const options = { signal, replace: true };
  const layers = Array.from(arrays, ([name, data]) => ({
    name,
    type: 'Parameter',
    blobs: [{ shape: [data.length], data }],
  }));
  const text = new TextEncoder().encode(`${JSON.stringify(notes)}\n`);
  try {
    await writeModel(files.arrays, { name: 'progress', layers }, options);
    await atomicWrite(files.notes, (file) => file.write(text), options);
    await trainer.snapshot(prefix, signal);
  } catch (error) {
    // Half a checkpoint is none, and its room may be needed.
    await removeCheckpoint(files.state);
    throw error;
  }
  return files.state;
}

/** What lies beside a `.solverstate`; undefined where it is one that Caffe, or a plain training, wrote. */
export async function readProgressed<Notes>(
  state: string,
  isSound: (notes: Partial<Notes>) => boolean,
): Promise<Progressed<Notes> | undefined> {
  const notes = await readNotes(state, isSound);
  if (notes === undefined) return undefined;
  const files = filesOf(state);
  const arrays = new Map<string, Float32Array>();
  const source = await openFile(files.arrays);
  try {
    const model = await openModel(source);
    for (const { name, blobs } of model.layers) {
      for (const blob of blobs) arrays.set(name, (await readBlob(source, blob)).slice());
    }
    const [damage] = model.damage;
    if (damage) throw new CaffeError(damage.message, { file: files.arrays, byteOffset: damage.byteOffset });
  } finally {
    await source.close();
  }
  return { arrays, notes };
}

/**
 * What a checkpoint notes besides its arrays; undefined where Caffe, or a plain training, wrote it.
 * @param isSound tells whether what was read is what was written
 */
export async function readNotes<Notes>(
  state: string,
  isSound: (notes: Partial<Notes>) => boolean,
): Promise<Notes | undefined> {
  const { notes } = filesOf(state);
  if (!existsSync(notes)) return undefined;
  let cause: unknown;
  try {
    const value = JSON.parse(await readFile(notes, 'utf8')) as Partial<Notes> | null;
    if (value !== null && isSound(value)) return value as Notes;
  } catch (error) {
    cause = error;
  }
  throw new CaffeError(phrase`The notes of the checkpoint cannot be read`, {
    file: notes,
    advice: phrase`Remove this file to go on with the weights and the solver state alone`,
    cause,
  });
}

export async function removeCheckpoint(state: string): Promise<void> {
  for (const file of Object.values(filesOf(state))) await rm(file, { force: true });
}

/** The same error, with how to go on from a checkpoint; errors that are not the user's pass through. */
export function withCheckpoint(error: unknown, state: string | undefined): unknown {
  if (!(error instanceof CaffeError) || state === undefined) return error;
  const { what, file, layer, byteOffset, line, advice } = error;
  const goOn = phrase`What was done until the last checkpoint is kept: resume from ${state}`;
  return new CaffeError(what, {
    ...{ file, layer, byteOffset, line },
    advice: advice === undefined ? goOn : sentences(advice, goOn),
    cause: error,
  });
}
