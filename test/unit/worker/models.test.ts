import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { OpenModels } from '../../../src/worker/models';
import { modelBytes } from '../jobs/tinyNet';

const folder = mkdtempSync(join(tmpdir(), 'open-models-'));
afterAll(() => rmSync(folder, { recursive: true }));

const paths = [1, 2, 3, 4, 5].map((number) => join(folder, `${number}.caffemodel`));
for (const path of paths) {
  const blobs = [{ shape: [2], data: Float32Array.of(1, 2) }];
  writeFileSync(path, modelBytes([{ name: 'ip', type: 'InnerProduct', blobs }]));
}

test('a model that is opened again is not closed for the sake of another meanwhile', async () => {
  const models = new OpenModels();
  const read = (path: string) =>
    models.using(
      path,
      async function* ({ source }) {
        yield (await source.read(0, 4)).length;
      },
      { again: true },
    );
  for (const path of paths.slice(0, 4)) for await (const length of read(path)) expect(length).toBe(4);

  // The fifth is one more than stay open: when it is done, the one that was used first is closed.
  const fifth = read(paths[4]);
  await fifth.next();
  const first = read(paths[0]);
  const [again] = await Promise.all([first.next(), fifth.next()]);
  expect(again.value).toBe(4);
  await first.return();
});
