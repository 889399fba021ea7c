import { phrase } from '../phrase';
import { atomicWrite, type AtomicWriteOptions, type OutputFile } from './atomicWrite';
import { BlobIndexer } from './blobIndexer';
import type { ByteSource } from './byteSource';
import { CaffeError } from './errors';
import { Hdf5File, isHdf5, type Hdf5Group } from './hdf5';
import { toBlob } from './hdf5Model';
import { floats, type Hdf5Leaf, type Hdf5Tree, integer, text, writeHdf5 } from './hdf5Writer';
import type { Damage, ModelBlob } from './model';
import { isHdf5Name } from './modelName';
import { readBlob } from './readBlob';
import { WireType } from './wireReader';
import { textField, varintField, writeBlobField, type BlobData } from './wireWriter';

/** Where a training stopped (message SolverState of caffe.proto). */
export interface SolverState {
  /** Iterations done. */
  iter: number;
  /** Path of the caffemodel that was written with it, as the training knew it. */
  learnedNet?: string;
  /** Current step of the learning rate policy `multistep`. */
  currentStep: number;
  /** What the solver remembers: one blob for each learnable parameter (momentum), or two (Adam, AdaDelta). */
  history: BlobData[];
}

const fields = { iter: 1, learnedNet: 2, history: 3, currentStep: 4 } as const;

/**
 * Reads a `.solverstate` or `.solverstate.h5`.
 * @throws CaffeError when the file is neither, or is damaged: to go on from half a history would be wrong
 */
export async function readSolverState(source: ByteSource): Promise<SolverState> {
  const { state, blobs, damage } = (await isHdf5(source))
    ? await indexHdf5(source)
    : await new SolverStateIndexer(source).index();
  if (damage.length > 0 || state.iter === undefined) {
    throw new CaffeError(
      phrase`this is no sound solver state: ${damage[0]?.message ?? phrase`it has no iteration count`}`,
      {
        file: source.name,
        byteOffset: damage[0]?.byteOffset ?? 0,
        advice: phrase`Go on from an earlier snapshot, or start from the weights alone`,
      },
    );
  }
  const history: BlobData[] = [];
  for (const blob of blobs) {
    history.push({ shape: blob.shape, data: await readBlob(source, blob) });
  }
  return { iter: state.iter, learnedNet: state.learnedNet, currentStep: state.currentStep ?? 0, history };
}

/**
 * Writes a solver state as Caffe's SGDSolver does: with a name that ends in `.h5` as HDF5, otherwise as protobuf; errors
 * as of `atomicWrite`.
 */
export const writeSolverState = (
  target: string,
  state: SolverState,
  options?: AtomicWriteOptions,
): Promise<void> =>
  atomicWrite(
    target,
    (file) => (isHdf5Name(target) ? writeHdf5(file, treeOf(state)) : writeProtobuf(file, state)),
    options,
  );

async function writeProtobuf(
  file: OutputFile,
  { iter, learnedNet, currentStep, history }: SolverState,
): Promise<void> {
  await file.write(varintField(fields.iter, iter));
  if (learnedNet !== undefined) await file.write(textField(fields.learnedNet, learnedNet));
  for (const blob of history) await writeBlobField(file, fields.history, blob);
  await file.write(varintField(fields.currentStep, currentStep));
}

/** The layout of `SGDSolver::SnapshotSolverStateToHDF5`. */
const treeOf = ({ iter, learnedNet, currentStep, history }: SolverState): Hdf5Tree =>
  new Map<string, Hdf5Tree | Hdf5Leaf>([
    ['iter', integer(iter)],
    ...(learnedNet === undefined ? [] : [['learned_net', text(learnedNet)] as const]),
    ['current_step', integer(currentStep)],
    [
      'history',
      new Map(history.map(({ shape, data }, i) => [`${i}`, floats(shape, () => Promise.resolve(data))])),
    ],
  ]);

interface Index {
  state: Partial<Omit<SolverState, 'history'>>;
  blobs: ModelBlob[];
  damage: Damage[];
}

class SolverStateIndexer extends BlobIndexer {
  async index(): Promise<Index> {
    const { reader, damage } = this;
    const end = this.source.size;
    const state: Index['state'] = {};
    const blobs: ModelBlob[] = [];
    try {
      for (let field; (field = await reader.next(end));) {
        const { number, wireType } = field;
        if (number === fields.iter && wireType === WireType.varint) {
          state.iter = await reader.readInt64(end);
        } else if (number === fields.learnedNet && wireType === WireType.bytes) {
          state.learnedNet = await this.readText(field, end);
        } else if (number === fields.history && wireType === WireType.bytes) {
          this.count(field);
          await this.readBlob(blobs, field, end);
        } else if (number === fields.currentStep && wireType === WireType.varint) {
          state.currentStep = await reader.readInt64(end);
        } else {
          await reader.skip(field, end);
        }
      }
    } catch (error) {
      this.note(error);
    }
    return { state, blobs, damage };
  }
}

/** The layout of `SGDSolver::SnapshotSolverStateToHDF5`. */
async function indexHdf5(source: ByteSource): Promise<Index> {
  const file = await Hdf5File.open(source);
  const root = await file.root();
  const history = await file.child(root, 'history');
  if (history?.kind !== 'group') {
    throw new CaffeError(phrase`this HDF5 file is no solver state: it has no group "history"`, {
      file: source.name,
      byteOffset: root.byteOffset,
    });
  }
  const damage: Damage[] = [];
  const blobs: ModelBlob[] = [];
  for (let i = 0; i < history.links.size; i++) {
    const dataset = await file.child(history, `${i}`);
    if (dataset?.kind !== 'dataset') {
      damage.push({ message: phrase`history blob ${i} is missing`, byteOffset: history.byteOffset });
      break;
    }
    const blob = toBlob(i, dataset);
    blobs.push(blob);
    if (blob.problem)
      damage.push({ message: phrase`history blob ${i}: ${blob.problem}`, byteOffset: blob.byteOffset });
  }
  const state = {
    iter: await readInteger(file, root, 'iter'),
    learnedNet: await readString(file, root, 'learned_net'),
    currentStep: await readInteger(file, root, 'current_step'),
  };
  return { state, blobs, damage };
}

async function readInteger(file: Hdf5File, root: Hdf5Group, name: string): Promise<number | undefined> {
  const dataset = await file.child(root, name);
  if (dataset?.kind !== 'dataset' || dataset.type.class !== 'integer' || dataset.type.size !== 4)
    return undefined;
  const bytes = await file.readDataset(dataset);
  return bytes.length < 4
    ? undefined
    : new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, dataset.type.littleEndian);
}

async function readString(file: Hdf5File, root: Hdf5Group, name: string): Promise<string | undefined> {
  const dataset = await file.child(root, name);
  if (dataset?.kind !== 'dataset' || dataset.type.class !== 'string') return undefined;
  const text = new TextDecoder().decode(await file.readDataset(dataset));
  return text.split('\0')[0];
}
