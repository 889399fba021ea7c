import { setImmediate } from 'node:timers/promises';
import { CaffeError } from '../caffe/errors';
import type { LayerParameter, NetParameter, TransformationParameter } from '../caffe/messages';
import type { Batch, Feed } from '../data/feed';
import { readInfogain } from '../data/infogain';
import { searchFolders } from '../data/locate';
import { openFeed, openItemSource, type FeedOptions } from '../data/openFeed';
import type { ItemSource } from '../data/items';
import { shortened } from '../data/itemFeed';
import { layersFor } from '../network/graph';
import { Net } from '../network/net';
import { layerTypeOf } from '../network/shapes';
import { phrase, type Phrase } from '../phrase';
import type { Engine } from '../tensor/engine';
import { readNetFile } from './netFile';
import { findScores, type Scores } from './scores';

/** A net with the data that it is tested on. */
export interface TestSource {
  /** The prototxt; relative paths in it are looked for from its folder on upwards. */
  netFile: string;
  /** Its content, where that is at hand already. */
  net?: NetParameter;
  /** Data to use instead of what the net's data layer names; needed for a deploy net, which has no data layer. */
  data?: string | ItemSource;
  /** How a deploy net's data become its input. */
  transform?: TransformationParameter;
  /** Items in a batch, instead of what the net's data layer says. */
  batchSize?: number;
  workspaceFolders?: readonly string[];
  level?: number;
  stages?: readonly string[];
  /** Decides what is random in the data. */
  seed?: number;
}

export interface TestNetOptions {
  engine: Engine;
  /** Memory for gradients. */
  gradients?: boolean;
}

/** A batch that the net's inputs hold. */
export interface TestBatch {
  /** Position of each item in its source. */
  items: number[];
  /** The class of each item, where the data have labels. */
  labels: Float32Array | undefined;
}

const DEPLOY_BATCH = 100;

/** A net in the TEST phase, together with its data. Dispose it when done. */
export class TestNet {
  private constructor(
    readonly net: Net,
    /** The data as the user knows them: a path. */
    readonly name: string,
    /** How many items a pass has, where that is known beforehand. */
    readonly count: number | undefined,
    /** Where the net says how it classifies, if it classifies. */
    readonly scores: Scores | undefined,
    private readonly feeds: readonly { layer: LayerParameter; feed: Feed }[],
    private readonly deploy: boolean,
  ) {}

  /** @throws CaffeError when the net cannot be set up or its data cannot be found */
  static async open(given: TestSource, options: TestNetOptions): Promise<TestNet> {
    const source = await withNet(given);
    const { level, stages } = source;
    const feeds: { layer: LayerParameter; feed: Feed }[] = [];
    try {
      const { layers, deploy } = dataLayersOf(source);
      for (const layer of layers) feeds.push({ layer, feed: await openFeed(layer, feedOptions(source)) });
      const shapes = new Map(
        feeds.map(({ layer, feed }) => [layer.name, feed.shapes.map((shape) => [...shape])]),
      );
      const net = new Net(source.net, {
        ...options,
        infogain: await readInfogain(
          layersFor(source.net, { phase: 'TEST', level, stages }),
          feedOptions(source).folders,
        ),
        phase: 'TEST',
        level,
        stages,
        seed: source.seed,
        sourceShapes: (layer) => shapes.get(layer.name)?.slice(0, layer.top.length),
      });
      return new TestNet(
        net,
        feeds[0].feed.name,
        feeds[0].feed.count,
        findScores(net, deploy),
        feeds,
        deploy,
      );
    } catch (error) {
      await Promise.all(feeds.map(({ feed }) => feed.close()));
      throw CaffeError.in(source.netFile, error);
    }
  }

  /**
   * Puts one batch after the other into the net, each item once.
   *
   * @param from items to pass over
   * @param limit items after which to stop
   */
  async *batches(signal: AbortSignal, from = 0, limit = Infinity): AsyncGenerator<TestBatch, void> {
    const passes = this.feeds.map(({ feed }) => feed.pass());
    let position = 0;
    try {
      while (position < limit) {
        // A pause in which messages, such as one to cancel, arrive.
        await setImmediate();
        signal.throwIfAborted();
        const all: Batch[] = [];
        for (const pass of passes) {
          const next = await pass.next();
          if (next.done !== true) all.push(next.value);
        }
        if (all.length < passes.length) return;
        const n = Math.min(...all.map(({ items }) => items.length), limit - position);
        position += n;
        if (position <= from) continue;
        const batches = all.map((batch) =>
          batch.items.length === n ? batch : shortened({ ...batch, items: batch.items.slice(0, n) }),
        );
        for (const [i, { tops }] of batches.entries()) {
          const { layer } = this.feeds[i];
          if (this.deploy) this.net.setInput(layer.top[0], tops[0].shape, tops[0].data);
          else this.net.feed(layer.name, tops);
        }
        yield { items: batches[0].items, labels: batches[0].tops[1]?.data };
      }
    } finally {
      await Promise.all(passes.map((pass) => pass.return()));
    }
  }

  /** The error for a loss or score that is no finite number: it names the layer in which the first such value is. */
  notFinite(advice?: Phrase): CaffeError {
    const { layer, what } = this.net.findNotFinite() ?? {};
    return new CaffeError(
      what === 'weights'
        ? phrase`The weights hold a value that is not finite`
        : phrase`The net computes a value that is not finite`,
      {
        layer,
        advice:
          advice ??
          (what === 'weights'
            ? phrase`The model is damaged, or its training diverged`
            : phrase`Check the scale and mean of the data`),
      },
    );
  }

  async dispose(): Promise<void> {
    this.net.dispose();
    await Promise.all(this.feeds.map(({ feed }) => feed.close()));
  }
}

/** The untransformed items that a net is tested on, to show them. */
export async function openTestItems(given: TestSource): Promise<ItemSource> {
  const source = await withNet(given);
  return openItemSource(dataLayersOf(source).layers[0], feedOptions(source));
}

/** The source with its net, read from its file unless it is there. */
export async function withNet<Source extends { netFile: string; net?: NetParameter }>(
  source: Source,
): Promise<Source & { net: NetParameter }> {
  return { ...source, net: source.net ?? (await readNetFile(source.netFile)) };
}

const feedOptions = ({ netFile, workspaceFolders, data, seed }: TestSource): FeedOptions => ({
  phase: 'TEST',
  folders: searchFolders(netFile, workspaceFolders),
  source: data,
  seed,
});

/** The layers that read data; for a deploy net one that stands for its input. */
function dataLayersOf(source: TestSource & { net: NetParameter }): {
  layers: LayerParameter[];
  deploy: boolean;
} {
  const { netFile, net, data, transform, batchSize, level, stages } = source;
  const all = layersFor(net, { phase: 'TEST', level, stages });
  const isInput = ({ type }: LayerParameter) => type === 'Input' || type === 'MemoryData';
  const layers = all.filter((layer) => layerTypeOf(layer).source === true && !isInput(layer));
  if (layers.length > 0) {
    if (data !== undefined && layers.length > 1) {
      throw new CaffeError(
        phrase`The net reads data in ${layers.length} layers; its own sources cannot be replaced by one`,
        {
          file: netFile,
        },
      );
    }
    return { layers: layers.map((layer) => withBatchSize(layer, batchSize)), deploy: false };
  }
  const inputs = all.filter(isInput);
  if (inputs.length !== 1 || (inputs[0].type === 'Input' && inputs[0].top.length !== 1)) {
    throw new CaffeError(
      inputs.length === 0 ? phrase`The net has no input` : phrase`The net has more than one input`,
      {
        file: netFile,
        advice: phrase`Evaluate with the train_val.prototxt, whose layers name the data`,
      },
    );
  }
  if (data === undefined) {
    throw new CaffeError(phrase`A deploy net does not say what data it is tested on`, {
      file: netFile,
      advice: phrase`Choose the data, or a train_val.prototxt that names them`,
    });
  }
  const [input] = inputs;
  const layer: LayerParameter = {
    ...input,
    type: 'Data',
    top: [input.top[0], 'label'],
    transform_param: transform ?? input.transform_param,
    data_param: { batch_size: batchSize ?? DEPLOY_BATCH },
  };
  return { layers: [layer], deploy: input.type === 'Input' };
}

function withBatchSize(layer: LayerParameter, batch_size: number | undefined): LayerParameter {
  if (batch_size === undefined) return layer;
  return {
    ...layer,
    data_param: { ...layer.data_param, batch_size },
    image_data_param: { ...layer.image_data_param, batch_size },
    hdf5_data_param: { ...layer.hdf5_data_param, batch_size },
  };
}
