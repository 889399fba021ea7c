import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writer } from 'protobufjs';
import { atomicWrite } from '../caffe/atomicWrite';
import { type LmdbRecord, lmdbFile } from '../data/lmdbWriter';
import { type Digit, digitSize, digits } from '../sample/digits';
import deploy from '../sample/lenet/deploy.prototxt';
import lenet from '../sample/lenet/lenet.caffemodel';
import solver from '../sample/lenet/solver.prototxt';
import trainVal from '../sample/lenet/train_val.prototxt';
import type { Job, JobContext, Progress } from './job';

export interface SampleParameters {
  /** Gets the files; made when it is not there. */
  folder: string;
  /** Pictures to train on; 10,000 when missing. */
  train?: number;
  /** Pictures to test with; 2,000 when missing. */
  test?: number;
  /** Equal seeds give equal bytes; 1 when missing. */
  seed?: number;
  /** Whether files that are there give way; otherwise they are an error. */
  replace?: boolean;
}

/**
 * Makes a Caffe project to try things on: handwriting-like digits in two LMDBs, a LeNet's train_val, deploy and
 * solver prototxt, and a model. The real Caffe can train and test it as it is.
 * @returns the files made, as paths relative to the folder
 */
export async function* createSample(
  { folder, train = 10_000, test = 2_000, seed = 1, replace }: SampleParameters,
  { signal }: JobContext,
): Job<Progress, string[]> {
  const file = (name: string, bytes: () => Uint8Array) => ({
    name,
    write: (target: string) => atomicWrite(target, (output) => output.write(bytes()), { signal, replace }),
  });
  const files = [
    file('train_val.prototxt', () => Buffer.from(trainVal)),
    file('deploy.prototxt', () => Buffer.from(deploy)),
    file('solver.prototxt', () => Buffer.from(solver)),
    // Trained by `npm run sample:train`.
    file('lenet.caffemodel', () => lenet),
    // Seeds far apart, so that no two sets share a picture.
    file('digits_test_lmdb/data.mdb', () => lmdbFile(records(digits(test, seed + 0x40000000)))),
    file('digits_train_lmdb/data.mdb', () => lmdbFile(records(digits(train, seed)))),
  ];
  for (const [i, { name, write }] of files.entries()) {
    yield { fraction: i / files.length, message: name };
    const target = join(folder, name);
    await mkdir(dirname(target), { recursive: true });
    await write(target);
  }
  return files.map(({ name }) => name);
}

/** Pictures as Caffe's converters store them: a Datum under a key of eight digits. */
function* records(pictures: Iterable<Digit>): Generator<LmdbRecord> {
  let index = 0;
  for (const { label, pixels } of pictures) {
    // channels, height, width, data and label: fields 1 to 5 of Datum in caffe.proto.
    const datum = Writer.create().uint32(8).int32(1).uint32(16).int32(digitSize).uint32(24).int32(digitSize);
    const value = datum.uint32(34).bytes(pixels).uint32(40).int32(label).finish();
    yield { key: Buffer.from(String(index++).padStart(8, '0')), value };
  }
}
