#!/usr/bin/env node
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CaffeError, reasonOf } from './caffe/errors';
import { type Command, type Terminal, UsageError } from './cli/command';
import { classifyCommand } from './cli/classify';
import { evaluateCommand } from './cli/evaluate';
import { inspectCommand } from './cli/inspect';
import { pruneCommand } from './cli/prune';
import { restoreCommand } from './cli/restore';
import { retrainCommand } from './cli/retrain';
import { saliencyCommand } from './cli/saliency';
import { sweepCommand } from './cli/sweep';
import { trainCommand } from './cli/train';
import { version } from '../package.json';
import { textOf, type Part } from './phrase';

const commands: readonly Command[] = [
  inspectCommand,
  pruneCommand,
  restoreCommand,
  evaluateCommand,
  sweepCommand,
  saliencyCommand,
  classifyCommand,
  trainCommand,
  retrainCommand,
];

const exitCodes = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const;

const common = `  --json       results as JSON lines on standard output
  --quiet      no progress on standard error
  --help       this text`;

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return `caffe-pruner ${version}

usage: caffe-pruner COMMAND [--help] ...

${commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.`;
}

/** Shows progress on standard error: a line that moves in a terminal, otherwise one line at each tenth. */
function progressLine(quiet: boolean) {
  const { stderr } = process;
  let tenth = -1;
  return {
    show({ fraction, message, secondsLeft }: { fraction: number; message: Part; secondsLeft?: number }) {
      if (quiet) return;
      const left = secondsLeft === undefined ? '' : `, ${Math.ceil(secondsLeft)} s left`;
      const line = `${String(Math.floor(fraction * 100)).padStart(3)} %${left}  ${textOf(message)}`;
      if (stderr.isTTY) {
        stderr.write(`\r\x1b[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
      } else if (Math.floor(fraction * 10) > tenth) {
        tenth = Math.floor(fraction * 10);
        stderr.write(`${line}\n`);
      }
    },
    clear() {
      if (!quiet && stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}

/**
 * A terminal that closes sends its signal and lets the shell send it too, and `timeout` sends it to a process and to its
 * group: what comes within so many milliseconds is one wish.
 */
const oneWishMs = 1_000;

/** Calls `abort` at the first signal to end; at one later on the process ends, and its temporary files with it. */
function listenForSignals(abort: () => void): void {
  let first: number | undefined;
  const listener = () => {
    first ??= performance.now();
    if (performance.now() - first > oneWishMs) process.exit(exitCodes.cancelled);
    abort();
  };
  // SIGHUP: the terminal's window was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, listener);
}

/** Whether something of what was told is missing, for another reason than that nobody reads it any more. */
let outputLost = false;

/** Calls `abort` when standard output or standard error takes no more. */
function listenForOutput(abort: () => void): void {
  for (const [name, stream] of [
    ['output', process.stdout],
    ['error', process.stderr],
  ] as const) {
    stream.on('error', (cause: NodeJS.ErrnoException) => {
      // Of a pipe it is the reader's wish, such as that of `head` after its lines.
      if (cause.code !== 'EPIPE' && !outputLost) {
        outputLost = true;
        process.stderr.write(
          `caffe-pruner: standard ${name} cannot be written (${textOf(reasonOf(cause))}); what was told is not complete\n`,
        );
      }
      abort();
    });
  }
}

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  const controller = new AbortController();
  const abort = () => controller.abort();
  listenForOutput(abort);
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return exitCodes.done;
  }
  if (name === undefined || name === '--help' || name === 'help') {
    process.stdout.write(`${overview()}\n`);
    return name === undefined ? exitCodes.usage : exitCodes.done;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    process.stderr.write(`caffe-pruner: there is no command "${name}"\n\n${overview()}\n`);
    return exitCodes.usage;
  }
  listenForSignals(abort);
  let clear: () => void = () => undefined;
  try {
    const args = parse(command, rest);
    if (args.values.help === true) {
      process.stdout.write(`${command.help}\n${common}\n`);
      return exitCodes.done;
    }
    const json = args.values.json === true;
    const progress = progressLine(args.values.quiet === true);
    ({ clear } = progress);
    const terminal: Terminal = {
      json,
      signal: controller.signal,
      print: (line) => void (json || process.stdout.write(`${line}\n`)),
      emit: (value) => void (json && process.stdout.write(`${JSON.stringify(value)}\n`)),
      async run(job, onEvent) {
        for (;;) {
          const step = await job.next();
          if (step.done) {
            progress.clear();
            return step.value;
          }
          progress.show(step.value);
          onEvent?.(step.value);
        }
      },
    };
    await command.run(args, terminal);
    return exitCodes.done;
  } catch (error) {
    clear();
    if (controller.signal.aborted && !outputLost) {
      process.stderr.write('caffe-pruner: cancelled; nothing was left half-written\n');
      return exitCodes.cancelled;
    }
    if (error instanceof UsageError) {
      process.stderr.write(`caffe-pruner ${name}: ${error.message}\nSee caffe-pruner ${name} --help.\n`);
      return exitCodes.usage;
    }
    if (outputLost) return exitCodes.failed;
    const message =
      error instanceof CaffeError ? error.describe() : ((error as Error).stack ?? String(error));
    process.stderr.write(`caffe-pruner: ${message}\n`);
    return exitCodes.failed;
  }
}

function parse(command: Command, args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...command.options,
        json: { type: 'boolean' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

void main(process.argv.slice(2)).then(async (code) => {
  // By then it is known whether the last lines were written.
  await setImmediate();
  process.exitCode = outputLost ? exitCodes.failed : code;
});
