import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

const root = inject('caffe');
export const hasCaffe = root !== '';

const libraries = ['lib', 'usr/lib', 'usr/lib/ARCH', 'lib/ARCH', 'usr/lib/ARCH/blas', 'usr/lib/ARCH/lapack'];
const inRoot = (path: string) => join(root, path.replace('ARCH', 'x86_64-linux-gnu'));

/**
 * Runs a program of the real Caffe in a folder, with the C library it was built for and that one's loader.
 * @returns its log
 * @throws Error with the log when it fails
 */
export function runCaffe(folder: string, program: string, ...args: string[]): string {
  const loader = inRoot('lib/ARCH/ld-2.31.so');
  const found = ['--library-path', libraries.map(inRoot).join(':')];
  const { status, signal, stderr } = spawnSync(loader, [...found, inRoot(`usr/bin/${program}`), ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, GLOG_log_dir: folder },
  });
  if (status === 0) return stderr;
  throw new Error(`${program} ${args.join(' ')} ended with ${status ?? signal}:\n${stderr.slice(-2000)}`);
}

/** Runs `caffe test`: each output of the net, the mean over the batches, and its values in the last batch. */
export function caffeTest(
  folder: string,
  net: string,
  weights: string,
  iterations = 1,
): { means: Record<string, number>; values: Record<string, number[]> } {
  const log = runCaffe(
    folder,
    ...(['caffe', 'test', '-model', net, '-weights', weights, '-iterations', `${iterations}`] as const),
  );
  const values: Record<string, number[]> = {};
  for (const [, name, value] of log.matchAll(new RegExp(`Batch ${iterations - 1}, (\\S+) = (\\S+)`, 'g')))
    (values[name] ??= []).push(Number(value));
  const means = [...log.matchAll(/\] (\S+) = (\S+)(?: \(\* .*)?$/gm)].map(([, name, value]) => [
    name,
    Number(value),
  ]);
  return { means: Object.fromEntries(means) as Record<string, number>, values };
}

/** Runs `caffe train`: loss and learning rate of each iteration, of a solver with `display: 1`. */
export function caffeTrain(
  folder: string,
  solver: string,
  ...from: ['-weights' | '-snapshot', string]
): Map<number, { loss: number; rate: number }> {
  const log = runCaffe(folder, 'caffe', 'train', '-solver', solver, ...from);
  const rates = new Map(
    [...log.matchAll(/Iteration (\d+), lr = (\S+)/g)].map(([, iteration, rate]) => [iteration, Number(rate)]),
  );
  return new Map(
    [...log.matchAll(/Iteration (\d+) \(.*\), loss = (\S+)/g)].map(([, iteration, loss]) => [
      Number(iteration),
      { loss: Number(loss), rate: rates.get(iteration)! },
    ]),
  );
}

/** A net in today's syntax as Caffe upgrades it; undefined where it is of a fork, and Caffe does not know all of it. */
export function upgradeNet(folder: string, text: string): string | undefined {
  const [given, made] = ['given.prototxt', 'upgraded.prototxt'];
  writeFileSync(join(folder, given), text);
  try {
    runCaffe(folder, 'upgrade_net_proto_text', given, made);
  } catch {
    return undefined;
  }
  return readFileSync(join(folder, made), 'utf8');
}
