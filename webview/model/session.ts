import { reasonOf } from '../l10n';
import type { BlobFigures, LayerRow } from '../../src/protocol';
import { host } from '../host';
import type { ModelStore } from './context';

/**
 * Layers whose statistics are gathered without being asked for; those of longer nets when they come into sight, or all are
 * wanted.
 */
export const inspectedUnasked = 2_000;

/** Messages are gathered for this long, so that the page is drawn once for many. */
const gatherMs = 60;

/** Keeps a store up to date with the model: reads the index, then the statistics, and watches the file. */
export class Session {
  private controller = new AbortController();
  private sight: ReturnType<typeof setTimeout> | undefined;
  private inSight: readonly LayerRow[] = [];
  /** Layers whose statistics were asked for because they came into sight. */
  private readonly asked = new Set<number>();

  constructor(private readonly store: ModelStore) {}

  /** Reads the model, for the first time or again after it changed. */
  async open(again = false): Promise<void> {
    this.controller.abort();
    this.controller = new AbortController();
    this.asked.clear();
    const { signal } = this.controller;
    const { dispatch } = this.store;
    dispatch({ kind: 'opening' });
    try {
      const layers = gather<LayerRow>((batch) => dispatch({ kind: 'layers', layers: batch }));
      await host.run(
        'open',
        { again },
        {
          signal,
          onEvent: (event) => {
            if ('summary' in event) dispatch({ kind: 'opened', summary: event.summary });
            else layers.add(event.layers);
          },
        },
      );
      layers.flush();
    } catch (error) {
      if (!signal.aborted) dispatch({ kind: 'failed', text: reasonOf(error) });
      return;
    }
    const { layers, wantsAll } = this.store.get();
    const to = wantsAll ? layers.length : Math.min(layers.length, inspectedUnasked);
    dispatch({ kind: 'ready' });
    void this.findHints(signal);
    await this.inspect(0, to, signal);
    await this.findOrigin(to, signal);
  }

  private async findHints(signal: AbortSignal): Promise<void> {
    try {
      this.store.dispatch({ kind: 'hints', hints: await host.run('hints', undefined, { signal }) });
    } catch {
      // Without hints the plan starts from the defaults.
    }
  }

  /** Of a pruned model, gathers the statistics of the one it was made of. */
  private async findOrigin(to: number, signal: AbortSignal): Promise<void> {
    const { dispatch } = this.store;
    try {
      const origin = await host.run('origin', undefined, { signal });
      if (!origin) return;
      dispatch({ kind: 'origin', origin });
      if (!origin.available) return;
      const before = gather<BlobFigures>((batch) => dispatch({ kind: 'before', figures: batch }));
      await host.run('inspectOriginal', { from: 0, to }, { signal, onEvent: (batch) => before.add(batch) });
      before.flush();
    } catch {
      // The comparison is an extra: without it the model is shown as any other.
    }
  }

  /** Of nets too long to be inspected unasked, gathers the statistics of these layers, once they stay in sight. */
  seen(layers: readonly LayerRow[]): void {
    this.inSight = layers;
    this.sight ??= setTimeout(() => {
      this.sight = undefined;
      const { figures, phase, wantsAll } = this.store.get();
      if (phase !== 'ready' || wantsAll) return;
      for (const { index, blobs } of this.inSight) {
        if (index < inspectedUnasked || blobs.length === 0 || figures[index] || this.asked.has(index))
          continue;
        this.asked.add(index);
        void this.inspect(index, index + 1);
      }
    }, 2 * gatherMs);
  }

  /** Gathers the statistics of all layers of a net of any length: what totals and plans are made of. */
  inspectAll(): void {
    const { layers, phase, wantsAll } = this.store.get();
    if (wantsAll) return;
    this.store.dispatch({ kind: 'wantAll' });
    if (phase === 'ready' && layers.length > inspectedUnasked)
      void this.inspect(inspectedUnasked, layers.length);
  }

  /** Gathers the statistics of layers `from`..`to - 1`. */
  async inspect(from: number, to: number, signal = this.controller.signal): Promise<void> {
    const { dispatch } = this.store;
    const figures = gather<BlobFigures>((batch) => dispatch({ kind: 'figures', figures: batch }));
    try {
      await host.run('inspect', { from, to }, { signal, onEvent: (batch) => figures.add(batch) });
    } catch (error) {
      if (!signal.aborted) dispatch({ kind: 'inspectFailed', text: reasonOf(error) });
    }
    figures.flush();
  }

  /** Follows what happens to the file for as long as the page lives. */
  async watch(): Promise<void> {
    const { dispatch } = this.store;
    for await (const event of host.start('watch', undefined)) {
      if (event.kind === 'changedOnDisk' || event.kind === 'deleted')
        dispatch({ kind: 'stale', why: event.kind });
      else dispatch(event);
    }
  }
}

/** Collects items and hands them on together: at once the first time, then every {@link gatherMs}. */
function gather<Item>(deliver: (items: Item[]) => void): {
  add(items: readonly Item[]): void;
  flush(): void;
} {
  let waiting: Item[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const items = waiting;
    waiting = [];
    if (items.length > 0) deliver(items);
  };
  return {
    add(items) {
      for (const item of items) waiting.push(item);
      if (timer !== undefined) return;
      flush();
      timer = setTimeout(flush, gatherMs);
    },
    flush,
  };
}
