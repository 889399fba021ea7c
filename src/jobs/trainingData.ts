import type { LayerParameter, Phase } from '../caffe/messages';
import { locate } from '../data/locate';
import { openItemSource } from '../data/openFeed';
import { phrase } from '../phrase';
import { dataLayers, readNets, type TrainingSource } from './trainer';

/** What is known, before a training begins, of the data that it trains or tests on. */
export interface DataState {
  /** Sources that the net names and that cannot be found. */
  missing: string[];
  /** How many items there are; absent where that is not known without reading them all. */
  items?: number;
}

/** What is known of the data of a training. */
export interface TrainingData {
  train: DataState;
  /** Absent where the solver has no test net. */
  test?: DataState;
}

/** Looks for the data that a solver's nets name, or for those that were chosen instead, and counts their items. */
export async function findTrainingData(
  source: Pick<TrainingSource, 'solver' | 'solverFile' | 'trainData' | 'testData' | 'workspaceFolders'>,
): Promise<TrainingData> {
  const { plans, folders } = await readNets(source);
  const state = async (plan: typeof plans.train, phase: Phase, chosen: string | undefined) => {
    const found: DataState = { missing: [] };
    for (const layer of dataLayers(plan)) {
      const path = chosen ?? sourceOf(layer) ?? '';
      const isThere = await locate(path, folders, phrase`the data`).then(
        () => true,
        () => false,
      );
      if (!isThere) found.missing.push(path);
      // What else may be wrong with them is told when they are read.
      else found.items ??= await countItems(layer, { phase, folders, source: chosen }).catch(() => undefined);
    }
    return found;
  };
  const [test] = plans.tests;
  return {
    train: await state(plans.train, 'TRAIN', source.trainData),
    test: test && (await state(test, 'TEST', source.testData)),
  };
}

const sourceOf = ({ data_param, image_data_param, hdf5_data_param }: LayerParameter): string | undefined =>
  (data_param ?? image_data_param ?? hdf5_data_param)?.source;

async function countItems(
  layer: LayerParameter,
  options: Parameters<typeof openItemSource>[1],
): Promise<number | undefined> {
  const items = await openItemSource(layer, options);
  try {
    return items.count;
  } finally {
    await items.close();
  }
}
