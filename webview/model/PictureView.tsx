import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { BlobPlace, BlobRow, LayerRow, Picture, Region } from '../../src/protocol';
import { pictureSize, unravel, valueAt } from '../../src/sparsity/pictureLayout';
import { type Palette, prepareCanvas, rgbOf, type Size, usePalette, useSize } from '../charts/canvas';
import { Busy, Button } from '../controls';
import { formatCount, formatValue } from '../format';
import { host } from '../host';
import { reasonOf, t } from '../l10n';

/** Fewest cells that zooming leaves in sight, along each axis. */
const fewestCells = 4;
const tallestPicture = 420;

interface Cell {
  row: number;
  column: number;
}

/** The values of a blob as a picture: kernels as tiles, a matrix as a heat map that can be zoomed and moved. */
export function PictureView(props: { place: BlobPlace; layer: LayerRow; blob: BlobRow }): JSX.Element {
  const { place, layer, blob } = props;
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useSize(frame).width;
  const palette = usePalette();
  const [region, setRegion] = useState<Region | undefined>(undefined);
  const [picture, setPicture] = useState<Picture | undefined>(undefined);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const [cursor, setCursor] = useState<Cell | undefined>(undefined);
  const drag = useRef<{ x: number; y: number; region: Region } | undefined>(undefined);

  useEffect(() => {
    if (width === 0) return undefined;
    const controller = new AbortController();
    const size = { maxRows: tallestPicture * devicePixelRatio, maxColumns: width * devicePixelRatio };
    // Soon after the last movement; at once the first time.
    const timer = setTimeout(
      () =>
        host.run('picture', { ...place, region, ...size }, { signal: controller.signal }).then(
          (answer) => {
            setPicture(answer);
            setFailure(undefined);
          },
          (error: unknown) => !controller.signal.aborted && setFailure(reasonOf(error)),
        ),
      picture ? 80 : 0,
    );
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [place.layer, place.blob, width > 0, Math.round(width / 50), region]);

  const size = picture ? pictureSize(picture.layout) : { rows: 1, columns: 1 };
  const whole: Region = { top: 0, left: 0, height: size.rows, width: size.columns };
  const seen = region ?? whole;
  const drawn = picture ? fit(picture, seen, width) : { width: 0, height: 0 };
  useEffect(() => {
    if (canvas.current && picture && drawn.width > 0) {
      draw(prepareCanvas(canvas.current, drawn), palette, picture, seen, drawn, cursor);
    }
  });

  const cellAt = (x: number, y: number): Cell => ({
    row: Math.min(size.rows - 1, Math.floor(seen.top + (y / drawn.height) * seen.height)),
    column: Math.min(size.columns - 1, Math.floor(seen.left + (x / drawn.width) * seen.width)),
  });
  const zoomAt = ({ row, column }: Cell, factor: number) => {
    const height = Math.round(Math.max(Math.min(fewestCells, size.rows), seen.height * factor));
    const wide = Math.round(Math.max(Math.min(fewestCells, size.columns), seen.width * factor));
    if (height >= size.rows && wide >= size.columns) return setRegion(undefined);
    const top = row - ((row - seen.top) / seen.height) * height;
    const left = column - ((column - seen.left) / seen.width) * wide;
    return setRegion(within({ top, left, height, width: wide }, size));
  };
  const moveBy = (rows: number, columns: number, from = seen) =>
    region && setRegion(within({ ...from, top: from.top + rows, left: from.left + columns }, size));

  const onWheel = useRef<(event: WheelEvent) => void>(() => undefined);
  onWheel.current = (event) => {
    // Without zoom, the wheel scrolls the page unless Ctrl is held, as on a map.
    if (!region && !event.ctrlKey) return;
    event.preventDefault();
    zoomAt(cellAt(event.offsetX, event.offsetY), event.deltaY < 0 ? 0.75 : 4 / 3);
  };
  useEffect(() => {
    const element = canvas.current;
    const listener = (event: WheelEvent) => onWheel.current(event);
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, [picture !== undefined]);

  const onKeyDown = (event: KeyboardEvent) => {
    const at = cursor ?? {
      row: Math.floor(seen.top + seen.height / 2),
      column: Math.floor(seen.left + seen.width / 2),
    };
    const stepRows = picture ? Math.max(1, Math.round(picture.region.height / picture.rows)) : 1;
    const stepColumns = picture ? Math.max(1, Math.round(picture.region.width / picture.columns)) : 1;
    const go = (rows: number, columns: number) => {
      if (event.shiftKey) return void moveBy((rows * seen.height) / 5, (columns * seen.width) / 5);
      const row = Math.max(0, Math.min(size.rows - 1, at.row + rows * stepRows));
      const column = Math.max(0, Math.min(size.columns - 1, at.column + columns * stepColumns));
      setCursor({ row, column });
      const outside =
        row < seen.top ||
        row >= seen.top + seen.height ||
        column < seen.left ||
        column >= seen.left + seen.width;
      if (outside) moveBy(rows * stepRows, columns * stepColumns);
    };
    const actions: Record<string, () => void> = {
      ArrowUp: () => go(-1, 0),
      ArrowDown: () => go(1, 0),
      ArrowLeft: () => go(0, -1),
      ArrowRight: () => go(0, 1),
      '+': () => zoomAt(at, 0.5),
      '=': () => zoomAt(at, 0.5),
      '-': () => zoomAt(at, 2),
      '0': () => setRegion(undefined),
      Escape: () => setCursor(undefined),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  };

  if (failure !== undefined) return <p class="banner warning">{failure}</p>;
  const reading = picture && cursor && read(picture, cursor, blob);
  return (
    <figure class="picture">
      <div class="frame" ref={frame}>
        {!picture && (
          <div class="waiting">
            <Busy label={t('Reading the values…')} />
          </div>
        )}
        <canvas
          ref={canvas}
          hidden={!picture}
          style={{ width: `${drawn.width}px`, height: `${drawn.height}px` }}
          tabIndex={0}
          role="img"
          aria-label={t(
            'Values of {0} as a picture of {1} by {2} cells. Arrow keys read the cells, plus and minus zoom, Shift with arrows moves, 0 shows all.',
            layer.name,
            formatCount(size.rows),
            formatCount(size.columns),
          )}
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            drag.current = { x: event.offsetX, y: event.offsetY, region: seen };
          }}
          onPointerMove={(event) => {
            if (drag.current && region) {
              const { x, y, region: from } = drag.current;
              moveBy(
                ((y - event.offsetY) / drawn.height) * from.height,
                ((x - event.offsetX) / drawn.width) * from.width,
                from,
              );
            } else setCursor(cellAt(event.offsetX, event.offsetY));
          }}
          onPointerUp={() => (drag.current = undefined)}
          onPointerLeave={() => setCursor(undefined)}
          onDblClick={(event) => zoomAt(cellAt(event.offsetX, event.offsetY), 0.5)}
          onKeyDown={onKeyDown}
          onBlur={() => setCursor(undefined)}
        />
      </div>
      <figcaption>
        <span class="scale" aria-hidden={picture?.layout.planes === 3}>
          {picture?.layout.planes === 3 ? (
            t('Blue, green and red channels as colours')
          ) : (
            <>
              {formatValue(-(picture?.scale ?? 0), 3)} <i /> {formatValue(picture?.scale ?? 0, 3)}
            </>
          )}
        </span>
        <span class="muted" role="status">
          {reading}
        </span>
        <span class="spacer" />
        <Button
          appearance="icon"
          icon="zoom-in"
          label={t('Zoom in')}
          onClick={() => zoomAt({ row: seen.top + seen.height / 2, column: seen.left + seen.width / 2 }, 0.5)}
        />
        <Button
          appearance="icon"
          icon="zoom-out"
          label={t('Zoom out')}
          disabled={!region}
          onClick={() => zoomAt({ row: seen.top + seen.height / 2, column: seen.left + seen.width / 2 }, 2)}
        />
        <Button
          appearance="icon"
          icon="screen-normal"
          label={t('Show all')}
          disabled={!region}
          onClick={() => setRegion(undefined)}
        />
      </figcaption>
      {picture && (
        <details class="as-table">
          <summary>{t('Show as table')}</summary>
          <ValueTable picture={picture} />
        </details>
      )}
    </figure>
  );
}

/** Size on the page: cells of kernels are square, those of a matrix may be stretched to be seen. */
function fit({ layout }: Picture, seen: Region, width: number): Size {
  const natural = (width * seen.height) / seen.width;
  if (layout.tileRows > 1 || layout.tileColumns > 1) {
    const scale = Math.min(1, tallestPicture / natural);
    return { width: Math.floor(width * scale), height: Math.max(1, Math.floor(natural * scale)) };
  }
  return { width, height: Math.floor(Math.max(48, Math.min(tallestPicture, natural))) };
}

const within = (region: Region, size: { rows: number; columns: number }): Region => {
  const height = Math.min(size.rows, Math.round(region.height));
  const width = Math.min(size.columns, Math.round(region.width));
  return {
    top: Math.max(0, Math.min(size.rows - height, Math.round(region.top))),
    left: Math.max(0, Math.min(size.columns - width, Math.round(region.left))),
    height,
    width,
  };
};

/** The pixel of the picture over a cell; -1 outside of it. */
function pixelAt({ region, rows, columns }: Picture, { row, column }: Cell): number {
  const y = Math.floor(((row - region.top) * rows) / region.height);
  const x = Math.floor(((column - region.left) * columns) / region.width);
  return y >= 0 && y < rows && x >= 0 && x < columns ? y * columns + x : -1;
}

function read(picture: Picture, cell: Cell, blob: BlobRow): string | undefined {
  const { layout, region, rows, columns, values } = picture;
  const pixel = pixelAt(picture, cell);
  const index = valueAt(layout, cell.row, cell.column);
  if (pixel < 0 || index < 0) return undefined;
  const position = `[${unravel(index, blob.shape).join(', ')}]`;
  const shown = Array.from({ length: layout.planes }, (_, plane) =>
    formatValue(values[plane * rows * columns + pixel]),
  ).join(', ');
  const cells = (region.height / rows) * (region.width / columns);
  return cells > 1
    ? t('around {0}: largest of about {1} values: {2}', position, formatCount(Math.round(cells)), shown)
    : `${position}: ${shown}`;
}

/** The top left of what is in sight, value by value. */
function ValueTable({ picture }: { picture: Picture }): JSX.Element {
  const rows = Math.min(32, picture.rows);
  const columns = Math.min(16, picture.columns);
  return (
    <>
      <p class="muted">{t('The first {0} rows and {1} columns of what is in sight.', rows, columns)}</p>
      <table>
        <tbody>
          {Array.from({ length: rows }, (_, row) => (
            <tr key={row}>
              {Array.from({ length: columns }, (__, column) => (
                <td key={column}>{formatValue(picture.values[row * picture.columns + column], 4)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function draw(
  context: CanvasRenderingContext2D,
  palette: Palette,
  picture: Picture,
  seen: Region,
  size: Size,
  cursor: Cell | undefined,
): void {
  const { region, layout } = picture;
  const image = new OffscreenCanvas(picture.columns, picture.rows);
  image.getContext('2d')!.putImageData(colour(picture, palette), 0, 0);
  const cellWidth = size.width / seen.width;
  const cellHeight = size.height / seen.height;
  const toX = (column: number) => (column - seen.left) * cellWidth;
  const toY = (row: number) => (row - seen.top) * cellHeight;
  context.imageSmoothingEnabled = region.width / picture.columns > 1.5;
  // What is there already is drawn where it belongs while the sharper picture is on its way.
  context.drawImage(
    image,
    toX(region.left),
    toY(region.top),
    region.width * cellWidth,
    region.height * cellHeight,
  );
  if (layout.tileRows > 1 || layout.tileColumns > 1) {
    context.strokeStyle = palette.background;
    context.lineWidth = Math.max(0.5, Math.min(3, cellWidth / 2));
    context.beginPath();
    if (cellWidth * layout.tileColumns >= 4) {
      for (let column = 0; column <= seen.left + seen.width; column += layout.tileColumns) {
        if (column < seen.left) continue;
        context.moveTo(toX(column), 0);
        context.lineTo(toX(column), size.height);
      }
    }
    if (cellHeight * layout.tileRows >= 4) {
      for (let row = 0; row <= seen.top + seen.height; row += layout.tileRows) {
        if (row < seen.top) continue;
        context.moveTo(0, toY(row));
        context.lineTo(size.width, toY(row));
      }
    }
    context.stroke();
  }
  if (cursor) {
    context.strokeStyle = palette.focus;
    context.lineWidth = 2;
    context.strokeRect(
      toX(cursor.column) - 1,
      toY(cursor.row) - 1,
      Math.max(4, cellWidth + 2),
      Math.max(4, cellHeight + 2),
    );
  }
}

/** From negative through the background to positive; exact zeros are the background itself, NaN stands out. */
function colour({ rows, columns, values, scale, layout }: Picture, palette: Palette): ImageData {
  const image = new ImageData(columns, rows);
  const { data } = image;
  const pixels = rows * columns;
  if (layout.planes === 3) {
    for (let i = 0; i < pixels; i++) {
      for (let channel = 0; channel < 3; channel++) {
        const value = values[(2 - channel) * pixels + i];
        data[4 * i + channel] = 127.5 + (scale > 0 ? (127.5 * value) / scale : 0);
      }
      data[4 * i + 3] = 255;
    }
    return image;
  }
  const positive = rgbOf(palette.positive);
  const negative = rgbOf(palette.negative);
  const odd = rgbOf(palette.threshold);
  for (let i = 0; i < pixels; i++) {
    const value = values[i];
    if (value === 0) continue;
    const finite = Number.isFinite(value);
    const [red, green, blue] = !finite ? odd : value > 0 ? positive : negative;
    data[4 * i] = red;
    data[4 * i + 1] = green;
    data[4 * i + 2] = blue;
    // The root lifts the many small weights out of the background.
    data[4 * i + 3] = finite ? 24 + 231 * Math.sqrt(Math.abs(value) / scale) : 255;
  }
  return image;
}
