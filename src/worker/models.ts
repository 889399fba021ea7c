import { stat } from 'node:fs/promises';
import { type ByteSource, openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { type Model, type ModelBlob, type ModelLayer, openModel } from '../caffe/model';
import { phrase } from '../phrase';

interface OpenedModel {
  source: ByteSource;
  model: Model;
  /** Tells the file from one that took its place. */
  identity: string;
}

/** Models kept open when nobody uses them, so that a page's next question needs no new index. */
const keptOpen = 4;

interface Entry {
  opened: Promise<OpenedModel>;
  users: number;
}

/** The models that the worker has open, by path. */
export class OpenModels {
  /** In order of use, the latest last. */
  private readonly entries = new Map<string, Entry>();

  /** Calls `use` with the model at `path`, which stays open meanwhile. With `again`, a changed file is opened anew. */
  async *using<Event, Result>(
    path: string,
    use: (opened: OpenedModel) => AsyncGenerator<Event, Result, void>,
    { again = false } = {},
  ): AsyncGenerator<Event, Result, void> {
    if (again) await this.closeOutdated(path);
    const entry = this.entries.get(path) ?? { opened: openIndexed(path), users: 0 };
    this.entries.delete(path);
    this.entries.set(path, entry);
    entry.users++;
    try {
      return yield* use(await entry.opened);
    } catch (error) {
      // What could not be opened now may be there at the next try.
      if (!(await isCurrent(path, entry)) && this.entries.get(path) === entry) this.entries.delete(path);
      throw error;
    } finally {
      entry.users--;
      if (this.entries.get(path) !== entry && entry.users === 0) await close(entry);
      await this.closeIdle();
    }
  }

  private async closeOutdated(path: string): Promise<void> {
    const entry = this.entries.get(path);
    if (!entry || (await isCurrent(path, entry))) return;
    if (this.entries.get(path) === entry) this.entries.delete(path);
    if (entry.users === 0) await close(entry);
  }

  private async closeIdle(): Promise<void> {
    for (const [path, entry] of this.entries) {
      if (this.entries.size <= keptOpen) return;
      if (entry.users > 0) continue;
      this.entries.delete(path);
      await close(entry);
    }
  }
}

async function openIndexed(path: string): Promise<OpenedModel> {
  const identity = await identityOf(path);
  const source = await openFile(path);
  try {
    return { source, model: await openModel(source), identity };
  } catch (error) {
    await source.close();
    throw error;
  }
}

const identityOf = (path: string): Promise<string> =>
  stat(path).then(
    ({ dev, ino, size, mtimeMs }) => [dev, ino, size, mtimeMs].join(':'),
    () => 'not there',
  );

const isCurrent = async (path: string, entry: Entry): Promise<boolean> =>
  entry.opened.then(
    async ({ identity }) => identity === (await identityOf(path)),
    () => false,
  );

async function close(entry: Entry): Promise<void> {
  await entry.opened.then(({ source }) => source.close()).catch(() => undefined);
}

/** @throws CaffeError when the model has no such blob */
export function blobAt(
  { source, model }: OpenedModel,
  place: { layer: number; blob: number },
): { layer: ModelLayer; blob: ModelBlob } {
  const layer = model.layers[place.layer];
  const blob = layer?.blobs[place.blob];
  if (!blob) {
    throw new CaffeError(phrase`there is no blob ${place.blob} in layer ${place.layer}`, {
      file: source.name,
      advice: phrase`The file may have changed; open it again`,
    });
  }
  return { layer, blob };
}
