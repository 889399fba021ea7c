import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import type { LayerParameter, NetParameter, SolverParameter } from '../caffe/messages';
import { readSolverState, writeSolverState } from '../caffe/solverState';
import { writeModel } from '../caffe/writeModel';
import type { Feed } from '../data/feed';
import type { ItemSource } from '../data/items';
import { readInfogain } from '../data/infogain';
import { locate, searchFolders } from '../data/locate';
import { openFeed, openItemSource } from '../data/openFeed';
import { slice } from '../data/slice';
import { layersFor } from '../network/graph';
import { Net } from '../network/net';
import { divergenceAdvice, netsOf, Solver, type StepResult } from '../network/solver';
import { phrase } from '../phrase';
import type { Engine } from '../tensor/engine';
import { loadWeights } from './loadWeights';
import { readNetFile } from './netFile';
import { snapshotFiles } from './snapshots';
import { accuracyOf, addBatch, lossOf, noSums } from './tally';
import { TestNet } from './testNet';

/** A solver with the data it trains on. */
export interface TrainingSource {
  /** The solver.prototxt; relative paths in it and in its net are looked for from its folder on upwards. */
  solverFile: string;
  solver: SolverParameter;
  /** Data to train and test on instead of what the net's data layers name. */
  trainData?: string;
  testData?: string;
  /**
   * How many items at the end of the training data, or below 1 what share of them, are held out: never trained on, they
   * serve for choosing (ratios, the best weights), so that the test data choose nothing.
   */
  holdOut?: number;
  workspaceFolders?: readonly string[];
}

/** What a net achieves on a set of items. */
export interface Figures {
  items: number;
  loss: number;
  /** Fraction of items whose class has the highest score; absent for a net that does not classify. */
  accuracy?: number;
}

/** The data to measure on: the solver's test net, or the part of the training data that is held out. */
export type MeasuredOn = 'test' | 'validation';

/** A net in training: its solver, its data, and what it is measured on. Dispose it when done. */
export class Trainer {
  private constructor(
    readonly net: Net,
    readonly solver: Solver,
    private readonly feeds: readonly Feed[],
    private readonly measured: ReadonlyMap<MeasuredOn, { test: TestNet; limit: number }>,
    /** Whether snapshots are HDF5. */
    private readonly hdf5: boolean,
  ) {}

  /** @throws CaffeError when the solver, its net or the data cannot be used */
  static async open(source: TrainingSource, engine: Engine): Promise<Trainer> {
    const { solver: parameter, workspaceFolders, holdOut = 0 } = source;
    const { plans, netFile, folders } = await readNets(source);
    const seed = seedOf(parameter);
    // What is open, to be closed in the reverse order when a later step fails.
    const opened: (() => unknown)[] = [];
    try {
      const feeds = new Map<string, Feed>();
      const layers = dataLayers(plans.train);
      if (source.trainData !== undefined && layers.length !== 1) {
        throw new CaffeError(
          phrase`The net reads data in ${layers.length} layers when it is trained: chosen data can take the place of one layer’s alone`,
          { advice: phrase`Train with what the net names, or with a net that has one Data layer` },
        );
      }
      for (const layer of layers) {
        const data = holdOut > 0 || source.trainData ? await heldOut(layer, source, 'train') : undefined;
        const feed = await openFeed(layer, { phase: 'TRAIN', folders, seed, source: data });
        opened.push(() => feed.close());
        feeds.set(layer.name, feed);
      }
      const net = new Net(plans.train.net, {
        ...plans.train.purpose,
        engine,
        infogain: await readInfogain(layersFor(plans.train.net, plans.train.purpose), folders),
        seed,
        sourceShapes: (layer) =>
          feeds
            .get(layer.name)
            ?.shapes.slice(0, layer.top.length)
            .map((shape) => [...shape]),
      });
      opened.push(() => net.dispose());
      const solver = new Solver(parameter, net, engine, async () => {
        for (const [layer, feed] of feeds) net.feed(layer, (await feed.next()).tops);
      });
      opened.push(() => solver.dispose());

      const measured = new Map<MeasuredOn, { test: TestNet; limit: number }>();
      const measure = async (
        on: MeasuredOn,
        plan: { net: NetParameter },
        limit: number,
        data?: string | ItemSource,
      ) => {
        const test = await TestNet.open({ netFile, net: plan.net, data, workspaceFolders, seed }, { engine });
        opened.push(() => test.dispose());
        test.net.shareWeights(net);
        measured.set(on, { test, limit });
      };
      const [testPlan] = plans.tests;
      if (testPlan) {
        const [layer] = dataLayers(testPlan);
        const batch = layer?.data_param?.batch_size ?? layer?.image_data_param?.batch_size ?? 1;
        await measure('test', testPlan, testPlan.iterations * batch, source.testData);
      }
      if (holdOut > 0) {
        if (!testPlan)
          throw new CaffeError(phrase`A part held out needs a test net to measure it with`, {
            file: source.solverFile,
          });
        const [layer] = layers;
        await measure('validation', testPlan, Infinity, await heldOut(layer, source, 'validation'));
      }
      return new Trainer(net, solver, [...feeds.values()], measured, parameter.snapshot_format === 'HDF5');
    } catch (error) {
      for (const close of opened.reverse()) await close();
      throw CaffeError.in(netFile, error);
    }
  }

  measures(on: MeasuredOn): boolean {
    return this.measured.has(on);
  }

  step(): Promise<StepResult> {
    return this.solver.step();
  }

  /** Runs the current weights over the data. @throws CaffeError naming the layer where a value is not finite */
  async measure(on: MeasuredOn, signal: AbortSignal): Promise<Figures> {
    const { test, limit } = this.measured.get(on)!;
    const sums = noSums();
    for await (const batch of test.batches(signal, 0, limit)) {
      if (!addBatch(sums, test.net, test.scores, batch, test.net.forward())) {
        throw test.notFinite(divergenceAdvice);
      }
    }
    return { items: sums.items, loss: lossOf(sums), accuracy: accuracyOf(sums) };
  }

  /** Where {@link snapshot} writes. */
  snapshotFiles(prefix: string): { model: string; state: string } {
    return snapshotFiles(prefix, this.solver.iteration, this.hdf5);
  }

  /**
   * Writes `<prefix>_iter_<n>.caffemodel`, then `.solverstate`, as Caffe does, in the solver's `snapshot_format`; returns
   * their paths.
   */
  async snapshot(prefix: string, signal: AbortSignal): Promise<{ model: string; state: string }> {
    const paths = this.snapshotFiles(prefix);
    await this.writeModel(paths.model, signal);
    await writeSolverState(
      paths.state,
      { ...this.solver.state(), learnedNet: paths.model },
      { signal, replace: true },
    );
    return paths;
  }

  /** Writes the weights as a model, in place of one that is there. */
  async writeModel(target: string, signal: AbortSignal): Promise<void> {
    const wiring = new Map(this.net.layers.map((layer) => [layer.name, layer]));
    await writeModel(
      target,
      {
        name: this.net.name,
        layers: this.net.weights().map((layer) => ({
          ...layer,
          bottoms: wiring.get(layer.name)?.bottom,
          tops: wiring.get(layer.name)?.top,
        })),
      },
      { signal, replace: true },
    );
  }

  /**
   * Goes on from a `.solverstate`; its weights are looked for where it says, then beside it. The data go on where the
   * training that is gone on with had come to.
   */
  async resume(state: string, signal: AbortSignal): Promise<void> {
    const source = await openFile(state);
    try {
      const snapshot = await readSolverState(source);
      if (snapshot.learnedNet !== undefined) {
        const weights = await locate(
          snapshot.learnedNet,
          searchFolders(state),
          phrase`the weights of the snapshot`,
        );
        await loadWeights(this.net, weights, signal);
      }
      this.solver.restore(snapshot);
      for (const feed of this.feeds) feed.skip(snapshot.iter * this.solver.batchesPerStep);
    } finally {
      await source.close();
    }
  }

  async dispose(): Promise<void> {
    this.solver.dispose();
    for (const { test } of this.measured.values()) await test.dispose();
    this.net.dispose();
    for (const feed of this.feeds) await feed.close();
  }
}

/** The seed of everything random: the solver's, or 1 where it has none (Caffe takes the clock then). */
const seedOf = ({ random_seed }: SolverParameter) =>
  random_seed !== undefined && Number(random_seed) >= 0 ? Number(random_seed) : 1;

/** The nets of a solver. `netFile`: where the last of them is from, for errors; `folders`: where relative paths may start. */
export async function readNets({
  solver,
  solverFile,
  workspaceFolders,
}: Pick<TrainingSource, 'solver' | 'solverFile' | 'workspaceFolders'>): Promise<{
  plans: Awaited<ReturnType<typeof netsOf>>;
  netFile: string;
  folders: string[];
}> {
  const folders = searchFolders(solverFile, workspaceFolders);
  let netFile = solverFile;
  const plans = await netsOf(solver, async (path) => {
    netFile = await locate(path, folders, phrase`the net`);
    return readNetFile(netFile);
  });
  return { plans, netFile, folders };
}

/** Layers that read data from outside. */
export function dataLayers({ net, purpose }: Awaited<ReturnType<typeof netsOf>>['train']): LayerParameter[] {
  return layersFor(net, purpose).filter(({ type }) => ['Data', 'ImageData', 'HDF5Data'].includes(type ?? ''));
}

/** The training data without the part held out, or that part. */
async function heldOut(
  layer: LayerParameter,
  { trainData, holdOut = 0, solverFile, workspaceFolders }: TrainingSource,
  part: 'train' | 'validation',
): Promise<string | ItemSource> {
  if (holdOut === 0) return trainData!;
  const folders = searchFolders(solverFile, workspaceFolders);
  const all = await openItemSource(layer, { phase: 'TRAIN', folders, source: trainData });
  const count = all.count;
  const held = holdOut < 1 ? Math.ceil((count ?? 0) * holdOut) : holdOut;
  if (count === undefined || count <= held) {
    await all.close();
    throw new CaffeError(
      count === undefined
        ? phrase`Nothing can be held out of data whose size is not known`
        : phrase`${held} items cannot be held out of ${count}`,
      { layer: layer.name, file: all.name },
    );
  }
  return part === 'train' ? slice(all, 0, count - held) : slice(all, count - held, count);
}
