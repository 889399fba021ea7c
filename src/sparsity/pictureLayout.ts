import { weightGeometry } from './geometry';

/**
 * How the values of a blob are laid out as a picture: `tiles` tiles of `tileRows` x `tileColumns` cells, `perLine` of
 * them in a line. A matrix has tiles of one cell, one line for each output; a convolution has a tile for each kernel,
 * one line for each filter, or near a square where a filter has one kernel. With `planes` 3 a filter over the
 * three channels of an image (blue, green, red in Caffe) is one coloured tile.
 */
export interface PictureLayout {
  tiles: number;
  tileRows: number;
  tileColumns: number;
  perLine: number;
  planes: 1 | 3;
}

/** Vectors up to this length are drawn as one line, longer ones near a square. */
const longestLine = 256;

/** The layout for a blob of a layer of this type. */
export function pictureLayout(type: string, blob: number, shape: readonly number[]): PictureLayout {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const { inputs, outputs, spatial } = weightGeometry(type, shape);
  const isVector = blob > 0 || inputs * spatial === count || spatial === count;
  if (isVector || count === 0) {
    const perLine = count <= longestLine ? count : Math.ceil(Math.sqrt(count));
    return { tiles: count, tileRows: 1, tileColumns: 1, perLine: Math.max(1, perLine), planes: 1 };
  }
  const tileColumns = spatial > 1 ? shape[shape.length - 1] : 1;
  const tileRows = spatial / tileColumns;
  const kernels = count / spatial;
  // Kernels lie as they are stored: those of one input after another in a deconvolution, of one output otherwise.
  const isDeconvolution = type === 'Deconvolution';
  const inLine = isDeconvolution ? outputs : inputs;
  const planes = spatial > 1 && inLine === 3 && !isDeconvolution ? 3 : 1;
  const tiles = kernels / planes;
  const perLine = planes === 3 || (spatial > 1 && inLine === 1) ? Math.ceil(Math.sqrt(tiles)) : inLine;
  return { tiles, tileRows, tileColumns, perLine, planes };
}

/** Size of the picture in cells. */
export function pictureSize({ tiles, tileRows, tileColumns, perLine }: PictureLayout): {
  rows: number;
  columns: number;
} {
  return { rows: Math.ceil(tiles / perLine) * tileRows, columns: Math.min(tiles, perLine) * tileColumns };
}

/** Index of the value at a cell (in the first plane), or -1 where the last line has no tile. */
export function valueAt(layout: PictureLayout, row: number, column: number): number {
  const { tiles, tileRows, tileColumns, perLine, planes } = layout;
  const tile = Math.floor(row / tileRows) * perLine + Math.floor(column / tileColumns);
  if (tile >= tiles || column >= perLine * tileColumns) return -1;
  return tile * planes * tileRows * tileColumns + (row % tileRows) * tileColumns + (column % tileColumns);
}

/** Position of the value at a flat index along each axis of its shape. */
export function unravel(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    position.unshift(index % shape[axis]);
    index = Math.floor(index / shape[axis]);
  }
  return position;
}
