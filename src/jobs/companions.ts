import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openFile } from '../caffe/byteSource';
import { openModel } from '../caffe/model';
import { isModelName, modelName, retrainingPrefix } from '../caffe/modelName';
import { likeness } from '../caffe/pairing';
import { fileKind } from '../caffe/prototxt/fileKind';
import { parsePrototxt } from '../caffe/prototxt/parser';
import { readNet } from '../caffe/readNet';
import { layersFor } from '../network/graph';
import { interruptedRun, type RunNotes } from './retrainSession';
import { findSnapshots, type Snapshot } from './snapshots';

/** The files beside a model that it can be run with, the likeliest first: paths. */
export interface Companions {
  /** Nets with layers that the model has weights for. */
  nets: {
    file: string;
    /** Whether its TEST phase names its own data. */
    hasData: boolean;
  }[];
  solvers: string[];
  /** Models made from this one, or that this one was made from. */
  models: string[];
  /** What interrupted retrainings of the model left, the latest first. */
  checkpoints: Checkpoint[];
}

export interface Checkpoint extends Snapshot {
  /** What the run was asked for; absent where only the real Caffe knows. */
  run?: RunNotes;
}

/** A prototxt is text of at most this many bytes; larger ones are passed over. */
const largestPrototxt = 4 << 20;
/** Layers that give a net its data by themselves. */
const readers = new Set(['Data', 'ImageData', 'HDF5Data', 'WindowData']);

/** Looks through the folder of a model for what belongs to it. Files that cannot be read are passed over. */
export async function findCompanions(modelPath: string): Promise<Companions> {
  const folder = dirname(modelPath);
  const name = basename(modelPath);
  const names = await readdir(folder);
  const weighted = await weightedLayers(modelPath);
  const nets: (Companions['nets'][number] & { score: number })[] = [];
  const solvers: { file: string; score: number }[] = [];
  for (const fileName of names.filter((each) => /\.prototxt(\.txt)?$/i.test(each))) {
    const file = join(folder, fileName);
    const text = await readSmall(file);
    if (text === undefined) continue;
    const prototxt = parsePrototxt(text);
    if (fileKind(prototxt.root) === 'SolverParameter') {
      solvers.push({ file, score: likeness(fileName, name) });
      continue;
    }
    const { net } = readNet(prototxt);
    const found = new Set(net.layer.map((layer) => layer.name));
    const matched = [...weighted].filter((layer) => found.has(layer)).length;
    if (matched === 0) continue;
    const hasData = layersFor(net, { phase: 'TEST' }).some(({ type }) => readers.has(type ?? ''));
    nets.push({ file, hasData, score: matched / weighted.size + Number(hasData) + likeness(fileName, name) });
  }
  const stem = stemOf(name);
  return {
    nets: byScore(nets).map(({ file, hasData }) => ({ file, hasData })),
    solvers: byScore(solvers).map(({ file }) => file),
    models: names
      .filter((each) => isModelName(each) && each !== name && stemOf(each) === stem)
      .map((each) => join(folder, each)),
    checkpoints: await checkpointsOf(modelPath),
  };
}

async function checkpointsOf(modelPath: string): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  for (const snapshot of await findSnapshots(retrainingPrefix(modelPath))) {
    // Where the notes are broken there is nothing to go on from.
    const run = await interruptedRun(snapshot.state).catch(() => null);
    if (run !== null) found.push({ ...snapshot, run });
  }
  return found;
}

/** Names of the layers that the model has weights for. */
async function weightedLayers(path: string): Promise<Set<string>> {
  const source = await openFile(path);
  try {
    const { layers } = await openModel(source);
    return new Set(layers.filter(({ blobs }) => blobs.length > 0).map((layer) => layer.name));
  } finally {
    await source.close();
  }
}

/** `lenet.pruned-2.caffemodel` and `lenet.caffemodel` are of one stem. */
const stemOf = (name: string): string => modelName(name).stem.replace(/\.restored(-\d+)?$/, '');

const readSmall = async (file: string): Promise<string | undefined> => {
  try {
    return (await stat(file)).size <= largestPrototxt ? await readFile(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
};

const byScore = <Item extends { score: number }>(items: Item[]): Item[] =>
  items.sort((a, b) => b.score - a.score);
