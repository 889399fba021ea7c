import { describe, expect, test } from 'vitest';
import type { BlobFigures, LayerRow } from '../../../src/protocol';
import { createHistogram } from '../../../src/sparsity/histogram';
import { statisticsOf } from '../../../src/sparsity/statistics';
import { createStore } from '../../../webview/store';
import {
  initialState,
  type ModelAction,
  type ModelState,
  reduceModel,
  totals,
  visibleRows,
} from '../../../webview/model/state';

const layer = (index: number, name: string, type: string, ...counts: number[]): LayerRow => ({
  index,
  name,
  type,
  originalType: type.toUpperCase(),
  byteOffset: 0,
  blobs: counts.map((count, blob) => ({
    index: blob,
    shape: [count],
    count,
    encoding: 'float',
    byteOffset: 0,
    prunable: blob === 0,
  })),
});
const figures = (layerIndex: number, blob: number, values: number[]): BlobFigures => ({
  layer: layerIndex,
  blob,
  statistics: statisticsOf(Float32Array.from(values)),
  histogram: createHistogram(0, 1, 4),
  magnitudes: { first: 0, counts: new Uint32Array(0) },
});
const layers = [
  layer(0, 'data', 'Input'),
  layer(1, 'conv10', 'Convolution', 4, 1),
  layer(2, 'conv9', 'Convolution', 2),
  layer(3, 'relu', 'ReLU'),
];
const play = (...actions: ModelAction[]): ModelState =>
  actions.reduce(reduceModel, initialState(true, undefined));

describe('the state', () => {
  test('selects the first layer that has blobs, once it is known', () => {
    const state = play({ kind: 'layers', layers: [layers[0]] }, { kind: 'layers', layers: layers.slice(1) });
    expect(state.kept.selected).toEqual({ layer: 1, blob: 0 });
    expect(state.layers).toHaveLength(4);
  });

  test('selects another blob when the one kept is gone', () => {
    const kept = { ...initialState(true, undefined).kept, selected: { layer: 9, blob: 3 } };
    const state = [{ kind: 'layers', layers } as const, { kind: 'ready' } as const].reduce<ModelState>(
      reduceModel,
      initialState(true, kept),
    );
    expect(state.kept.selected).toEqual({ layer: 1, blob: 0 });
  });

  test('selects the layer that is asked for, also when it comes later, and each request once', () => {
    const show = { kind: 'show', view: 'prune', layer: 'conv9', request: 7 } as const;
    const selected = (...actions: ModelAction[]) => play(...actions).kept;
    const read = { kind: 'layers', layers } as const;
    expect(selected(read, show)).toMatchObject({ view: 'prune', selected: { layer: 2, blob: 0 } });
    expect(selected(show, read)).toMatchObject({ view: 'prune', selected: { layer: 2, blob: 0 } });
    const elsewhere = { kind: 'select', place: { layer: 1, blob: 1 } } as const;
    expect(selected(read, show, elsewhere, show).selected).toEqual(elsewhere.place);
    expect(selected(read, { ...show, layer: 'gone' }).selected).toEqual({ layer: 1, blob: 0 });
  });

  test('takes nothing of what another version kept', () => {
    expect(initialState(true, { view: 'x' }).kept.view).toBe('weights');
    expect(initialState(true, 'nonsense').kept.view).toBe('weights');
  });

  test('sorts a column ascending, descending and not at all in turn', () => {
    const sort = { kind: 'sort', column: 'name' } as const;
    expect(play(sort).kept.sort).toEqual({ column: 'name', descending: false });
    expect(play(sort, sort).kept.sort).toEqual({ column: 'name', descending: true });
    expect(play(sort, sort, sort).kept.sort).toBeUndefined();
  });

  test('forgets what was read when the file is opened again, and keeps what the user chose', () => {
    const state = play(
      { kind: 'layers', layers },
      { kind: 'figures', figures: [figures(1, 0, [0, 1, 2, 3])] },
      { kind: 'stale', why: 'changedOnDisk' },
      { kind: 'filter', text: 'conv' },
      { kind: 'opening' },
    );
    expect(state).toMatchObject({ layers: [], figures: [], stale: undefined, phase: 'opening' });
    expect(state.kept.filter).toBe('conv');
  });
});

describe('rows', () => {
  const names = (filter: string, column?: string, descending = false) =>
    visibleRows(
      layers,
      [undefined, [figures(1, 0, [0, 0, 0, 1]), figures(1, 1, [1])]],
      filter,
      column === undefined ? undefined : { column, descending },
    ).map(({ layer: { name } }) => name);

  test.each([
    ['', undefined, false, ['data', 'conv10', 'conv9', 'relu']],
    ['CONV', undefined, false, ['conv10', 'conv9']],
    ['convolution 9', undefined, false, ['conv9']],
    ['nothing', undefined, false, []],
    ['', 'name', false, ['conv9', 'conv10', 'data', 'relu']],
    ['', 'parameters', true, ['conv10', 'conv9', 'data', 'relu']],
    ['conv', 'zeros', true, ['conv10', 'conv9']],
  ])('filter %j, column %s', (filter, column, descending, expected) =>
    expect(names(filter, column, descending)).toEqual(expected),
  );
});

test('totals are complete when the figures of all blobs are there', () => {
  const some = [undefined, [figures(1, 0, [0, 0, 0, 1])]];
  expect(totals({ layers, figures: some })).toEqual({
    parameters: 7,
    zeros: 3,
    known: 4,
    complete: false,
    blobs: 3,
  });
  const all = [undefined, [figures(1, 0, [0, 0, 0, 1]), figures(1, 1, [0])], [figures(2, 0, [1, 1])]];
  expect(totals({ layers, figures: all })).toEqual({
    parameters: 7,
    zeros: 4,
    known: 7,
    complete: true,
    blobs: 3,
  });
});

test('a store tells its listeners of changes alone', () => {
  const store = createStore((state: number, action: number) => state + action, 1);
  let calls = 0;
  const stop = store.subscribe(() => calls++);
  store.dispatch(0);
  store.dispatch(2);
  stop();
  store.dispatch(1);
  expect([store.get(), calls]).toEqual([4, 1]);
});
