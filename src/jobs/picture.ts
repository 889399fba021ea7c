import type { ByteSource } from '../caffe/byteSource';
import type { ModelBlob, Segment } from '../caffe/model';
import { blobChunks } from '../caffe/readBlob';
import type { Picture, Region } from '../protocol';
import { type PictureLayout, pictureSize } from '../sparsity/pictureLayout';
import type { JobContext } from './job';

/**
 * A region of a blob's picture, scaled down to at most `maxRows` x `maxColumns` pixels: each pixel is the value with the
 * largest |w| of the cells under it, so that no large weight is lost and a pixel is zero only where all of them are.
 * The blob is read in chunks, and only the lines that the region crosses.
 */
export async function readPicture(
  source: ByteSource,
  blob: ModelBlob,
  layout: PictureLayout,
  { region, maxRows, maxColumns }: { region?: Region; maxRows: number; maxColumns: number },
  { signal }: JobContext,
): Promise<Picture> {
  const { tiles, tileRows, tileColumns, perLine, planes } = layout;
  const seen = clip(region, pictureSize(layout));
  const rows = Math.max(1, Math.min(seen.height, Math.floor(maxRows)));
  const columns = Math.max(1, Math.min(seen.width, Math.floor(maxColumns)));
  const values = new Float32Array(rows * columns * planes);
  let scale = 0;

  const perTile = tileRows * tileColumns;
  const firstLine = Math.floor(seen.top / tileRows);
  const endLine = Math.ceil((seen.top + seen.height) / tileRows);
  // Compressed values come as a whole.
  const start = blob.chunked ? 0 : Math.min(blob.count, firstLine * perLine * planes * perTile);
  const end = blob.chunked
    ? blob.count
    : Math.min(blob.count, Math.min(tiles, endLine * perLine) * planes * perTile);
  // Which pixel column each cell column falls into, or -1 outside of the region.
  const pixelColumn = new Int32Array(perLine * tileColumns).fill(-1);
  for (let column = seen.left; column < seen.left + seen.width; column++) {
    pixelColumn[column] = Math.floor(((column - seen.left) * columns) / seen.width);
  }

  for await (const { start: at, chunk } of blobChunks(source, partOf(blob, start, end))) {
    signal.throwIfAborted();
    let index = start + at;
    for (let i = 0; i < chunk.length;) {
      // One run of values in the same row of a tile.
      const inTile = index % perTile;
      const tile = Math.floor(index / (perTile * planes));
      const plane = Math.floor(index / perTile) % planes;
      const row = Math.floor(tile / perLine) * tileRows + Math.floor(inTile / tileColumns);
      let column = (tile % perLine) * tileColumns + (inTile % tileColumns);
      const run = Math.min(tileColumns - (inTile % tileColumns), chunk.length - i);
      if (row >= seen.top && row < seen.top + seen.height) {
        const pixelRow = Math.floor(((row - seen.top) * rows) / seen.height);
        const line = (plane * rows + pixelRow) * columns;
        for (let k = i; k < i + run; k++, column++) {
          const pixel = pixelColumn[column];
          if (pixel < 0) continue;
          const value = chunk[k];
          const magnitude = Math.abs(value);
          if (magnitude > Math.abs(values[line + pixel]) || Number.isNaN(value)) values[line + pixel] = value;
          if (magnitude > scale && magnitude < Infinity) scale = magnitude;
        }
      }
      i += run;
      index += run;
    }
  }
  return { layout, region: seen, rows, columns, values, scale };
}

/** The part of the region that lies in the picture; all of it when there is none. */
function clip(region: Region | undefined, { rows, columns }: { rows: number; columns: number }): Region {
  if (!region) return { top: 0, left: 0, height: rows, width: columns };
  const within = (value: number, least: number, most: number) =>
    Math.max(least, Math.min(most, Math.trunc(value) || least));
  const top = within(region.top, 0, Math.max(0, rows - 1));
  const left = within(region.left, 0, Math.max(0, columns - 1));
  return {
    top,
    left,
    height: within(region.height, Math.min(1, rows), rows - top),
    width: within(region.width, Math.min(1, columns), columns - left),
  };
}

/** The blob as if it held values `start`..`end - 1` alone. */
function partOf(blob: ModelBlob, start: number, end: number): ModelBlob {
  if (start === 0 && end === blob.count) return blob;
  const segments: Segment[] = [];
  let first = 0;
  for (const { offset, count, stride } of blob.segments) {
    const from = Math.max(first, start);
    const to = Math.min(first + count, end);
    if (from < to) segments.push({ offset: offset + (from - first) * stride, count: to - from, stride });
    first += count;
  }
  return { ...blob, segments, count: Math.max(0, end - start) };
}
