import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { binEdge, type Histogram } from '../../src/sparsity/histogram';
import { Button } from '../controls';
import { formatCount, formatShortCount, formatValue } from '../format';
import { t } from '../l10n';
import { countHeight, countTicks, guessBins, joinBins, type Range, shift, ticks, zoom } from './bins';
import { type Palette, prepareCanvas, type Size, usePalette, useSize } from './canvas';

const margin = { left: 52, right: 14, top: 10, bottom: 24 };

interface Props {
  /** What is shown, for screen readers. */
  label: string;
  /** All values, in fine bins; `bins` divides their number. */
  fine: Histogram;
  /** The same before pruning, drawn as an outline. */
  before?: Histogram;
  bins: number;
  logarithmic: boolean;
  /** So many values are zero and are not drawn. */
  hiddenZeros?: number;
  /** Exact counts over a part of the range. */
  count: (range: Range, bins: number) => Promise<Histogram>;
  /** Values with |w| up to this go. */
  threshold?: number;
  /** Makes the threshold a handle that can be dragged. */
  onThreshold?: (threshold: number) => void;
}

/** A histogram that can be zoomed and read bin by bin, by mouse and keyboard, with a table of its bins. */
export function HistogramChart(props: Props): JSX.Element {
  const { fine, bins, logarithmic, threshold, onThreshold } = props;
  const [range, setRange] = useState<Range | undefined>(undefined);
  const [cursor, setCursor] = useState<number | undefined>(undefined);
  const [dragged, setDragged] = useState<{ from: number; to: number } | 'threshold' | undefined>(undefined);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(frame);
  const palette = usePalette();
  useEffect(() => {
    setRange(undefined);
    setCursor(undefined);
  }, [fine]);

  const limits: Range = { min: fine.min, max: fine.max };
  const shown = withoutZeros(useExactBins(fine, range, bins, props.count), props.hiddenZeros);
  const view: Range = { min: shown.min, max: shown.max };
  const plot = {
    left: margin.left,
    top: margin.top,
    width: Math.max(1, size.width - margin.left - margin.right),
    height: Math.max(1, size.height - margin.top - margin.bottom),
  };
  const toX = (value: number) => plot.left + ((value - view.min) / (view.max - view.min)) * plot.width;
  const toValue = (x: number) => view.min + ((x - plot.left) / plot.width) * (view.max - view.min);
  const binAt = (x: number) =>
    Math.max(0, Math.min(bins - 1, Math.floor(((x - plot.left) / plot.width) * bins)));
  const before = useMemo(
    () => props.before && guessBins(props.before, view, bins),
    [props.before, view.min, view.max, bins],
  );

  useEffect(() => {
    if (!canvas.current || size.width === 0) return;
    const selection =
      dragged && dragged !== 'threshold' && Math.abs(dragged.to - dragged.from) > 3 ? dragged : undefined;
    draw(prepareCanvas(canvas.current, size), palette, {
      ...{ size, plot, shown, before, logarithmic, threshold, cursor, selection, toX },
      canDrag: onThreshold !== undefined,
    });
  });

  const isNearThreshold = (x: number) =>
    onThreshold !== undefined &&
    threshold !== undefined &&
    [threshold, -threshold].some((value) => Math.abs(toX(value) - x) < 6);
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    setDragged(isNearThreshold(event.offsetX) ? 'threshold' : { from: event.offsetX, to: event.offsetX });
  };
  const onPointerMove = (event: PointerEvent) => {
    const x = event.offsetX;
    setCursor(x < plot.left || x > plot.left + plot.width ? undefined : binAt(x));
    if (dragged === 'threshold') onThreshold?.(Math.abs(toValue(x)));
    else if (dragged) setDragged({ ...dragged, to: x });
    else if (canvas.current) canvas.current.style.cursor = isNearThreshold(x) ? 'ew-resize' : 'crosshair';
  };
  const onPointerUp = () => {
    if (dragged && dragged !== 'threshold' && Math.abs(dragged.to - dragged.from) > 3) {
      const [a, b] = [toValue(dragged.from), toValue(dragged.to)].sort((x, y) => x - y);
      const centre = (a + b) / 2;
      setRange(
        zoom(view, limits, centre, (b - a) / (view.max - view.min)) && shift({ min: a, max: b }, limits),
      );
    }
    setDragged(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = cursor ?? Math.floor(bins / 2);
    const middle = binEdge(shown, at);
    const step = (view.max - view.min) / bins;
    const actions: Record<string, () => void> = {
      ArrowLeft: () => (event.shiftKey ? pan(-10 * step) : setCursor(Math.max(0, at - 1))),
      ArrowRight: () => (event.shiftKey ? pan(10 * step) : setCursor(Math.min(bins - 1, at + 1))),
      Home: () => setCursor(0),
      End: () => setCursor(bins - 1),
      '+': () => setRange(zoom(view, limits, middle, 0.5)),
      '=': () => setRange(zoom(view, limits, middle, 0.5)),
      '-': () => setRange(zoom(view, limits, middle, 2)),
      '0': () => setRange(undefined),
      Escape: () => setCursor(undefined),
    };
    if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  };
  const pan = (by: number) => range && setRange(shift({ min: range.min + by, max: range.max + by }, limits));

  // Wheel listeners of the framework are passive, and the page must not scroll while the chart zooms.
  const onWheel = useRef<(event: WheelEvent) => void>(() => undefined);
  onWheel.current = (event) => {
    event.preventDefault();
    setRange(zoom(view, limits, toValue(event.offsetX), event.deltaY < 0 ? 0.8 : 1.25));
  };
  useEffect(() => {
    const element = canvas.current;
    const listener = (event: WheelEvent) => onWheel.current(event);
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, []);

  const reading =
    cursor === undefined
      ? undefined
      : t(
          '{0} to {1}: {2} values',
          formatValue(binEdge(shown, cursor), 5),
          formatValue(binEdge(shown, cursor + 1), 5),
          formatCount(shown.counts[cursor]),
        );
  const cursorX = cursor === undefined ? 0 : toX((binEdge(shown, cursor) + binEdge(shown, cursor + 1)) / 2);
  return (
    <figure class="chart">
      <div class="plot" ref={frame}>
        <canvas
          ref={canvas}
          style={{ width: `${size.width}px`, height: `${size.height}px` }}
          tabIndex={0}
          role="img"
          aria-label={`${props.label}. ${t('Arrow keys read the bins, plus and minus zoom, 0 shows all.')}`}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerLeave={() => !dragged && setCursor(undefined)}
          onDblClick={() => setRange(undefined)}
          onKeyDown={onKeyDown}
          onBlur={() => setCursor(undefined)}
        />
        {reading && (
          <div
            class="reading"
            style={
              cursorX < size.width / 2
                ? { left: `${cursorX + 10}px` }
                : { right: `${size.width - cursorX + 10}px` }
            }
          >
            {reading}
          </div>
        )}
        {range && (
          <div class="zoom-reset">
            <Button
              appearance="icon"
              icon="screen-normal"
              label={t('Show all')}
              onClick={() => setRange(undefined)}
            />
          </div>
        )}
        <div class="visually-hidden" aria-live="polite">
          {reading}
        </div>
      </div>
      <details class="as-table">
        <summary>{t('Show as table')}</summary>
        <BinTable histogram={shown} before={before} />
      </details>
    </figure>
  );
}

/** The counts without those of the value zero, which all are in one bin. */
function withoutZeros(histogram: Histogram, zeros = 0): Histogram {
  const { min, max, counts } = histogram;
  const bin = Math.floor(((0 - min) / (max - min)) * counts.length);
  if (zeros === 0 || !(bin >= 0 && bin < counts.length)) return histogram;
  const rest = counts.slice();
  // At the edge between two bins rounding decides, so the fuller one holds them.
  const holder = bin > 0 && counts[bin] < zeros ? bin - 1 : bin;
  rest[holder] = Math.max(0, rest[holder] - zeros);
  return { min, max, counts: rest };
}

/** The bins to draw: joined from the fine ones where that is exact, otherwise a guess until the exact counts arrive. */
function useExactBins(
  fine: Histogram,
  range: Range | undefined,
  bins: number,
  count: Props['count'],
): Histogram {
  const [exact, setExact] = useState<Histogram | undefined>(undefined);
  const guess = useMemo(
    () => (range ? guessBins(fine, range, bins) : joinBins(fine, bins)),
    [fine, range?.min, range?.max, bins],
  );
  useEffect(() => {
    setExact(undefined);
    if (!range) return undefined;
    let wanted = true;
    const timer = setTimeout(() => {
      count(range, bins).then(
        (histogram) => wanted && setExact(histogram),
        // The guess stays; a failure of the file shows in the page's banner.
        () => undefined,
      );
    }, 120);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [fine, range?.min, range?.max, bins]);
  const fits = exact && exact.min === guess.min && exact.max === guess.max && exact.counts.length === bins;
  return fits ? exact : guess;
}

function BinTable({ histogram, before }: { histogram: Histogram; before?: Histogram }): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t('From')}</th>
          <th scope="col">{t('To')}</th>
          <th scope="col">{t('Values')}</th>
          {before && <th scope="col">{t('Before')}</th>}
        </tr>
      </thead>
      <tbody>
        {Array.from(histogram.counts, (count, bin) => (
          <tr key={bin}>
            <td>{formatValue(binEdge(histogram, bin))}</td>
            <td>{formatValue(binEdge(histogram, bin + 1))}</td>
            <td>{formatCount(count)}</td>
            {before && <td>{formatCount(before.counts[bin])}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface Drawing {
  size: Size;
  plot: { left: number; top: number; width: number; height: number };
  shown: Histogram;
  before?: Histogram;
  logarithmic: boolean;
  threshold?: number;
  canDrag: boolean;
  cursor?: number;
  selection?: { from: number; to: number };
  toX: (value: number) => number;
}

function draw(context: CanvasRenderingContext2D, palette: Palette, drawing: Drawing): void {
  const { plot, shown, before, logarithmic, threshold, cursor, selection, toX } = drawing;
  const { counts } = shown;
  const right = plot.left + plot.width;
  const bottom = plot.top + plot.height;
  const most = Math.max(1, ...counts, ...(before?.counts ?? []));
  const toY = (count: number) => bottom - countHeight(count, most, logarithmic) * plot.height;
  context.font = getComputedStyle(context.canvas).font;
  context.lineWidth = 1;

  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const tick of countTicks(most, logarithmic)) {
    const y = Math.round(toY(tick)) + 0.5;
    context.strokeStyle = palette.grid;
    line(context, plot.left, y, right, y);
    context.fillStyle = palette.muted;
    context.fillText(formatShortCount(tick), plot.left - 6, y);
  }
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const tick of ticks({ min: shown.min, max: shown.max }, Math.max(2, plot.width / 90))) {
    const x = Math.round(toX(tick)) + 0.5;
    context.strokeStyle = palette.grid;
    line(context, x, bottom, x, bottom + 4);
    if (x > plot.left + 8 && x < right - 8) {
      context.fillStyle = palette.muted;
      context.fillText(formatValue(tick, 4), x, bottom + 7);
    }
  }

  const width = plot.width / counts.length;
  const gap = width > 5 ? 1 : 0;
  for (let bin = 0; bin < counts.length; bin++) {
    if (counts[bin] === 0) continue;
    const x = plot.left + bin * width;
    const y = Math.min(toY(counts[bin]), bottom - 1);
    const middle = (binEdge(shown, bin) + binEdge(shown, bin + 1)) / 2;
    context.fillStyle =
      threshold !== undefined && Math.abs(middle) <= threshold ? palette.pruned : palette.bar;
    context.fillRect(x, y, Math.max(1, width - gap), bottom - y);
  }
  if (before) {
    context.strokeStyle = palette.before;
    context.lineWidth = 1.5;
    context.beginPath();
    for (let bin = 0; bin < before.counts.length; bin++) {
      const y = toY(before.counts[bin]);
      context.lineTo(plot.left + bin * width, y);
      context.lineTo(plot.left + (bin + 1) * width, y);
    }
    context.stroke();
  }
  context.strokeStyle = palette.grid;
  context.lineWidth = 1;
  line(context, plot.left, bottom + 0.5, right, bottom + 0.5);

  if (threshold !== undefined) {
    for (const value of threshold === 0 ? [0] : [-threshold, threshold]) {
      const x = Math.round(toX(value)) + 0.5;
      if (x < plot.left || x > right) continue;
      context.strokeStyle = palette.threshold;
      context.lineWidth = 2;
      line(context, x, plot.top, x, bottom);
      if (drawing.canDrag) {
        context.fillStyle = palette.threshold;
        context.beginPath();
        context.roundRect(x - 4, plot.top + plot.height / 2 - 9, 8, 18, 3);
        context.fill();
      }
    }
  }
  if (cursor !== undefined) {
    context.strokeStyle = palette.focus;
    context.lineWidth = 1;
    context.strokeRect(plot.left + cursor * width - 0.5, plot.top, Math.max(2, width), plot.height);
  }
  if (selection) {
    context.fillStyle = palette.focus;
    context.globalAlpha = 0.2;
    context.fillRect(selection.from, plot.top, selection.to - selection.from, plot.height);
    context.globalAlpha = 1;
  }
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
