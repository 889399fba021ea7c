// `npm run sample:train`: makes the sample project in a temporary folder, trains its LeNet as its solver says (2,000
// iterations from scratch, seed 1) and puts the weights into src/sample/lenet, where the sample project takes them from.
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSolver } from '../src/caffe/readNet';
import { createSample } from '../src/jobs/sample';
import { train } from '../src/jobs/train';
import { PortableEngine } from '../src/tensor/portable';
import { textOf } from '../src/phrase';

const folder = await mkdtemp(join(tmpdir(), 'sample-'));
const { signal } = new AbortController();
const engine = new PortableEngine();
try {
  for await (const { message } of createSample({ folder }, { signal })) console.log(textOf(message));
  const solverFile = join(folder, 'solver.prototxt');
  const solver = parseSolver(await readFile(solverFile, 'utf8'), solverFile);
  const job = train({ solverFile, solver }, { signal, engine });
  for (;;) {
    const { done, value } = await job.next();
    if (done) {
      await copyFile(value.model, 'src/sample/lenet/lenet.caffemodel');
      console.log(`${value.iterations} iterations in ${value.seconds.toFixed(0)} s`, value.test);
      break;
    }
    if (value.test) console.log(`iteration ${value.iteration}`, value.test);
  }
} finally {
  engine.dispose();
  await rm(folder, { recursive: true });
}
