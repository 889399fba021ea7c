import { existsSync, readdirSync } from 'node:fs';
import type { NpyArray } from './npz';

/** The real models beside the repository. */
export const models = new URL('../../../shared/models/', import.meta.url).pathname;

/** Models that run with a net, each with a file of an input (`in:`) and what OpenCV makes of it (`out:`). */
export const realNets: { name: string; model: string; prototxt: string; file: string }[] = (
  existsSync(models) ? readdirSync(models) : []
)
  .filter((folder) => existsSync(`${models}${folder}/opencv_ref`))
  .flatMap((folder) =>
    readdirSync(`${models}${folder}/opencv_ref`).map((file) => {
      const [model, prototxt] = file.replace(/\.npz$/, '').split('__');
      const own = `${models}${folder}/${prototxt}`;
      return {
        name: `${folder} ${model}`,
        model: `${models}${folder}/${model}`,
        prototxt: existsSync(own) ? own : `${models}bvlc-caffe/mnist/${prototxt}`,
        file: `${models}${folder}/opencv_ref/${file}`,
      };
    }),
  )
  .filter(({ model }) => existsSync(model));

/** The arrays whose names begin with a prefix, by the rest of their names. */
export const partOf = (arrays: ReadonlyMap<string, NpyArray>, prefix: string): Map<string, NpyArray> =>
  new Map(
    [...arrays]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, array]) => [name.slice(prefix.length), array]),
  );
