import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, parse } from 'node:path';
import { searchFolders } from '../data/locate';
import type { TrainingSource } from './trainer';

/** A snapshot of a training: what it can go on from. */
export interface Snapshot {
  /** The `.solverstate`, or `.solverstate.h5`. */
  state: string;
  iteration: number;
}

/** The files of a snapshot by Caffe's names; `hdf5` as the solver's `snapshot_format` says. */
export function snapshotFiles(
  prefix: string,
  iteration: number,
  hdf5: boolean,
): { model: string; state: string } {
  const base = `${prefix}_iter_${iteration}`;
  const extension = hdf5 ? '.h5' : '';
  return { model: `${base}.caffemodel${extension}`, state: `${base}.solverstate${extension}` };
}

/**
 * How the names of a training's snapshots begin, as Caffe has it: by `snapshot_prefix`, by the solver's name in a folder
 * of that name, or beside the solver by its name alone. A relative prefix starts where other paths of the solver may;
 * where its folder is nowhere, the snapshots go beside the solver.
 */
export async function snapshotPrefix({
  solverFile,
  solver: { snapshot_prefix },
  workspaceFolders,
}: Pick<TrainingSource, 'solverFile' | 'workspaceFolders'> & {
  solver: Pick<TrainingSource['solver'], 'snapshot_prefix'>;
}): Promise<string> {
  const { dir, name } = parse(solverFile);
  if (snapshot_prefix === undefined) return join(dir, name);
  const folders = searchFolders(solverFile, workspaceFolders);
  const candidates = isAbsolute(snapshot_prefix)
    ? [snapshot_prefix]
    : folders.map((folder) => join(folder, snapshot_prefix));
  for (const prefix of candidates) {
    if (await isFolder(prefix)) return join(prefix, name);
    if (await isFolder(dirname(prefix))) return prefix;
  }
  return join(dir, basename(snapshot_prefix));
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** The snapshots of a solver's training that are short of its `max_iter`, the one written last first. */
export async function unfinished(source: TrainingSource): Promise<Snapshot[]> {
  const { max_iter = 0 } = source.solver;
  const snapshots = await findSnapshots(await snapshotPrefix(source));
  return snapshots.filter(({ iteration }) => iteration < max_iter);
}

/** The snapshots whose names begin with a prefix, the one written last first. */
export async function findSnapshots(prefix: string): Promise<Snapshot[]> {
  const folder = dirname(prefix);
  const beginning = `${basename(prefix)}_iter_`;
  const found: (Snapshot & { written: number })[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const rest = name.startsWith(beginning) ? name.slice(beginning.length) : '';
    const match = /^(\d+)\.solverstate(\.h5)?$/.exec(rest);
    if (!match) continue;
    const state = join(folder, name);
    const file = await stat(state).catch(() => undefined);
    if (file) found.push({ state, iteration: Number(match[1]), written: file.mtimeMs });
  }
  return found.sort((a, b) => b.written - a.written).map(({ state, iteration }) => ({ state, iteration }));
}
