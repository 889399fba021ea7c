import type { LayerParameter, Phase } from '../caffe/messages';
import { searchFolders } from '../data/locate';
import { openFeed } from '../data/openFeed';

export interface SourceShapesParameters {
  /** The prototxt: paths in it are looked for from its folder on. */
  netFile: string;
  workspaceFolders: string[];
  /** A Data, ImageData or HDF5Data layer. */
  layer: LayerParameter;
  phase: Phase;
}

/**
 * The shapes of a data layer's tops for a whole batch, as its source and its transformation make them.
 * @throws CaffeError when the source cannot be found or read
 */
export async function* sourceShapes({
  netFile,
  workspaceFolders,
  layer,
  phase,
}: SourceShapesParameters): AsyncGenerator<never, number[][], void> {
  yield* [];
  const feed = await openFeed(layer, { phase, folders: searchFolders(netFile, workspaceFolders) });
  try {
    return feed.shapes.map((shape) => [...shape]);
  } finally {
    await feed.close();
  }
}
