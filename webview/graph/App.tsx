import type { JSX } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { GraphNet } from '../../src/protocol';
import { Button, Busy, SearchField, Select } from '../controls';
import { layersText } from '../format';
import { reasonOf, t } from '../l10n';
import { Canvas } from './Canvas';
import { host, keep, restored, type Kept } from './host';
import { place, type Drawing } from './layout';
import { Legend } from './Legend';
import { NetTable } from './NetTable';
import { svgText } from './svgText';
import { strengths, type Tint, type Zeros } from './tint';

const scales = { least: 0.1, most: 3, step: 1.25 };
/** Below this scale names cannot be read. */
const leastReadable = 0.6;
const within = (scale: number): number => Math.min(scales.most, Math.max(scales.least, scale));

/** The page; `uri` is the prototxt whose net it draws. */
export function App({ uri }: { uri: string }): JSX.Element {
  const [kept, setKept] = useState<Kept>(() => restored(uri));
  const [net, setNet] = useState<GraphNet | undefined>(undefined);
  const [weights, setWeights] = useState<string | undefined>(undefined);
  const [problem, setProblem] = useState('');
  const [selected, setSelected] = useState<string | undefined>(undefined);
  const [search, setSearch] = useState('');
  const [zeros, setZeros] = useState<Zeros>(new Map());
  const pane = useRef<HTMLDivElement>(null);
  const change = (part: Partial<Kept>) => setKept((before) => ({ ...before, ...part }));
  useEffect(() => keep(kept), [kept]);

  const { phase, tint, scale = 1, asTable } = kept;
  useEffect(() => {
    const controller = new AbortController();
    void host
      .run(
        'watch',
        { phase },
        {
          signal: controller.signal,
          onEvent: (event) => {
            if (event.kind === 'selected') setSelected(event.layer);
            else if (event.kind === 'problem') setProblem(event.message);
            else {
              setProblem('');
              setNet(event.net);
              setWeights(event.weights);
            }
          },
        },
      )
      .catch(() => undefined);
    return () => controller.abort();
  }, [phase]);

  useEffect(() => {
    if (tint !== 'zeros' || weights === undefined) return undefined;
    const controller = new AbortController();
    const found = new Map<string, number>();
    void host
      .run('zeros', undefined, {
        signal: controller.signal,
        onEvent: (shares) => {
          for (const [layer, share] of shares) found.set(layer, share);
          setZeros(new Map(found));
        },
      })
      .catch((error: unknown) => setProblem(reasonOf(error)));
    return () => controller.abort();
  }, [tint, weights]);

  const drawing = useMemo(() => net && place(net), [net]);
  const tints = useMemo(
    () => (net ? strengths(net, tint, zeros) : new Map<number, undefined>()),
    [net, tint, zeros],
  );
  const selectedNode = net?.nodes.find(({ layers }) => layers.some(({ name }) => name === selected))?.id;
  const found = useMemo(() => nodesWith(net, search), [net, search]);

  const select = useCallback(
    (_node: number, layer: string) => {
      setSelected(layer);
      if (net) void host.run('select', { layer, phase: net.phase }).catch(() => undefined);
    },
    [net],
  );
  const isUnseen = kept.scale === undefined;
  // At first a net is as wide as the window, while its names can be read.
  useLayoutEffect(() => {
    if (!isUnseen || !pane.current || !drawing) return;
    change({ scale: Math.min(1, Math.max(leastReadable, pane.current.clientWidth / drawing.width)) });
  }, [isUnseen, drawing]);
  useEffect(() => {
    if (pane.current && drawing && selectedNode !== undefined && !asTable)
      reveal(pane.current, drawing, selectedNode, scale);
    // A new scale alone moves nothing.
  }, [drawing, selectedNode, asTable]);

  const zoom = (factor: number) => {
    const element = pane.current;
    const next = within(scale * factor);
    if (!element) return;
    const middle = {
      x: element.scrollLeft + element.clientWidth / 2,
      y: element.scrollTop + element.clientHeight / 2,
    };
    change({ scale: next });
    requestAnimationFrame(() =>
      element.scrollTo({
        left: (middle.x * next) / scale - element.clientWidth / 2,
        top: (middle.y * next) / scale - element.clientHeight / 2,
      }),
    );
  };
  const fit = () => {
    if (pane.current && drawing)
      change({
        scale: within(
          Math.min(1, pane.current.clientWidth / drawing.width, pane.current.clientHeight / drawing.height),
        ),
      });
  };
  const nextFound = () => {
    const ids = [...found];
    const next = ids[(ids.indexOf(selectedNode ?? -1) + 1) % ids.length];
    const node = net?.nodes[next];
    if (node) select(node.id, node.layers[0].name);
  };

  const onKey = (event: KeyboardEvent) => {
    if (!net || !drawing) return;
    if (event.key === '+' || event.key === '=') zoom(scales.step);
    else if (event.key === '-') zoom(1 / scales.step);
    else if (event.key === '0') fit();
    else {
      const target = neighbour(net, drawing, selectedNode, event.key);
      if (target === undefined) return;
      select(target, net.nodes[target].layers[0].name);
    }
    event.preventDefault();
  };

  return (
    <>
      <header class="tools graph-tools">
        <Select
          value={net?.phase ?? phase ?? 'TEST'}
          options={[
            ['TRAIN', t('Phase TRAIN')],
            ['TEST', t('Phase TEST')],
          ]}
          label={t('Phase')}
          onChange={(value) => change({ phase: value })}
        />
        <Select<Tint>
          value={tint}
          options={[
            ['type', t('Colour: type')],
            ['parameters', t('Colour: parameters')],
            ...(weights === undefined ? [] : [['zeros', t('Colour: zeros')] as const]),
          ]}
          label={t('What the colour of a layer tells')}
          onChange={(value) => change({ tint: value })}
        />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            nextFound();
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') nextFound();
          }}
        >
          <SearchField
            value={search}
            label={t('Find layers by name or type; Enter goes to the next')}
            placeholder={t('Find layers')}
            onInput={setSearch}
          />
        </form>
        <span class="muted" aria-live="polite">
          {search === '' ? '' : t('{0} found', found.size)}
        </span>
        <span class="spacer" />
        <div class="buttons">
          <Button
            icon="zoom-out"
            label={t('Zoom out (-)')}
            appearance="icon"
            onClick={() => zoom(1 / scales.step)}
          />
          <Button
            icon="zoom-in"
            label={t('Zoom in (+)')}
            appearance="icon"
            onClick={() => zoom(scales.step)}
          />
          <Button icon="screen-full" label={t('Fit into the window (0)')} appearance="icon" onClick={fit} />
          <Button
            icon="table"
            label={t('Show as a table')}
            appearance="icon"
            pressed={asTable}
            onClick={() => change({ asTable: !asTable })}
          />
          <Button
            icon="save"
            label={t('Save as SVG…')}
            appearance="icon"
            disabled={asTable || !drawing}
            onClick={() => {
              const svg = document.querySelector<SVGSVGElement>('#drawing');
              if (svg)
                host
                  .run('saveSvg', { svg: svgText(svg) })
                  .catch((error: unknown) => setProblem(reasonOf(error)));
            }}
          />
        </div>
      </header>
      {problem !== '' && (
        <div class="banner warning" role="alert">
          {problem}
        </div>
      )}
      {!net && problem === '' && (
        <div class="waiting">
          <Busy label={t('Reading the net')} />
        </div>
      )}
      {net && asTable && <NetTable net={net} zeros={zeros} selected={selected} onSelect={select} />}
      {net && drawing && !asTable && (
        <>
          <div
            ref={pane}
            class="pane"
            tabIndex={0}
            role="listbox"
            aria-label={t('Net {0}: {1}', net.name, layersText(layerCount(net)))}
            aria-activedescendant={selectedNode === undefined ? undefined : `node-${selectedNode}`}
            onKeyDown={onKey}
            onWheel={(event) => {
              if (!event.ctrlKey && !event.metaKey) return;
              event.preventDefault();
              zoom(event.deltaY < 0 ? scales.step : 1 / scales.step);
            }}
            onPointerDown={drag}
          >
            <Canvas
              drawing={drawing}
              scale={scale}
              tint={tint}
              strengths={tints}
              selected={selectedNode}
              found={found}
              onSelect={select}
            />
          </div>
          <Legend tint={tint} net={net} />
        </>
      )}
    </>
  );
}

const layerCount = ({ nodes }: GraphNet): number => nodes.reduce((sum, { layers }) => sum + layers.length, 0);

function nodesWith(net: GraphNet | undefined, search: string): ReadonlySet<number> {
  const wanted = search.trim().toLowerCase();
  if (!net || wanted === '') return new Set();
  return new Set(
    net.nodes
      .filter(({ layers }) =>
        layers.some(
          ({ name, type }) => name.toLowerCase().includes(wanted) || type.toLowerCase().includes(wanted),
        ),
      )
      .map(({ id }) => id),
  );
}

/** Scrolls a box into the middle when it is not wholly in sight. */
function reveal(pane: HTMLElement, { nodes }: Drawing, id: number, scale: number): void {
  const placed = nodes[id];
  const [left, top] = [placed.x * scale, placed.y * scale];
  const [right, bottom] = [left + placed.width * scale, top + placed.height * scale];
  if (
    left >= pane.scrollLeft &&
    right <= pane.scrollLeft + pane.clientWidth &&
    top >= pane.scrollTop &&
    bottom <= pane.scrollTop + pane.clientHeight
  )
    return;
  pane.scrollTo({
    left: (left + right - pane.clientWidth) / 2,
    top: (top + bottom - pane.clientHeight) / 2,
    behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
  });
}

/** The box that an arrow key leads to: along the net up and down, to the nearest beside it left and right. */
function neighbour(
  net: GraphNet,
  { nodes }: Drawing,
  from: number | undefined,
  key: string,
): number | undefined {
  if (key === 'Home' || (from === undefined && key.startsWith('Arrow'))) return net.nodes.at(0)?.id;
  if (key === 'End') return net.nodes.at(-1)?.id;
  if (from === undefined) return undefined;
  if (key === 'ArrowDown') return net.edges.find((edge) => edge.from === from)?.to;
  if (key === 'ArrowUp') return net.edges.find((edge) => edge.to === from)?.from;
  if (key !== 'ArrowLeft' && key !== 'ArrowRight') return undefined;
  const here = nodes[from];
  const side = key === 'ArrowLeft' ? -1 : 1;
  const beside = nodes
    .filter(({ x, y, height }) => (x - here.x) * side > 0 && y < here.y + here.height && y + height > here.y)
    .sort((a, b) => Math.abs(a.x - here.x) - Math.abs(b.x - here.x));
  return beside[0]?.node.id;
}

/** Moves the drawing with the pointer, from where there is no box. */
function drag(event: PointerEvent): void {
  const pane = event.currentTarget as HTMLElement;
  if (event.button !== 0 || (event.target as Element).closest('.node')) return;
  let [x, y] = [event.clientX, event.clientY];
  pane.setPointerCapture(event.pointerId);
  const move = (next: PointerEvent) => {
    pane.scrollBy({ left: x - next.clientX, top: y - next.clientY, behavior: 'instant' });
    [x, y] = [next.clientX, next.clientY];
  };
  pane.addEventListener('pointermove', move);
  pane.addEventListener('lostpointercapture', () => pane.removeEventListener('pointermove', move), {
    once: true,
  });
}
