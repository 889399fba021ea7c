import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

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

/** The snapshots whose names begin with a prefix, the one written last first. */
export async function findSnapshots(prefix: string): Promise<Snapshot[]> {
  const folder = dirname(prefix);
  const beginning = `${basename(prefix)}_iter_`;
  const found: (Snapshot & { written: number })[] = [];
  for (const name of await readdir(folder)) {
    const rest = name.startsWith(beginning) ? name.slice(beginning.length) : '';
    const match = /^(\d+)\.solverstate(\.h5)?$/.exec(rest);
    if (!match) continue;
    const state = join(folder, name);
    const file = await stat(state).catch(() => undefined);
    if (file) found.push({ state, iteration: Number(match[1]), written: file.mtimeMs });
  }
  return found.sort((a, b) => b.written - a.written).map(({ state, iteration }) => ({ state, iteration }));
}
