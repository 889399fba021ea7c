import type { ParseArgsConfig } from 'node:util';
import type { Part } from '../phrase';

/** What a command works with besides its arguments. */
export interface Terminal {
  /** Whether the result goes to standard output as JSON. */
  json: boolean;
  signal: AbortSignal;
  /** Writes a line for people to standard output; nothing with `--json`. */
  print(line: string): void;
  /** Writes one JSON value in a line to standard output; nothing without `--json`. */
  emit(value: unknown): void;
  /** Runs a job to its end, with its progress on standard error; `onEvent` sees each event. */
  run<Event extends { fraction: number; message: Part; secondsLeft?: number }, Result>(
    job: AsyncGenerator<Event, Result, void>,
    onEvent?: (event: Event) => void,
  ): Promise<Result>;
}

export interface Command {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The whole help, without the options that every command has. */
  help: string;
  options: NonNullable<ParseArgsConfig['options']>;
  /** @throws UsageError when the arguments do not fit; whatever the job throws */
  run(args: Arguments, terminal: Terminal): Promise<void>;
}

/** The arguments of a command, read by type. */
export interface Arguments {
  positionals: string[];
  values: Record<string, string | boolean | (string | boolean)[] | undefined>;
}

/** The command line does not fit the command. */
export class UsageError extends Error {}

/** A text option, or undefined. */
export function text({ values }: Arguments, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

export const flag = ({ values }: Arguments, name: string): boolean => values[name] === true;

/** The texts of an option that may be given several times. */
export function texts({ values }: Arguments, name: string): string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** A number option within bounds; `10%` is 0.1. */
export function number(args: Arguments, name: string, min = -Infinity, max = Infinity): number | undefined {
  const value = text(args, name);
  return value === undefined ? undefined : parseNumber(value, `--${name}`, min, max);
}

/** Reads a number or a percentage. */
export function parseNumber(value: string, what: string, min = -Infinity, max = Infinity): number {
  const match = /^\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(%?)\s*$/.exec(value);
  const parsed = match ? Number(match[1]) / (match[2] ? 100 : 1) : NaN;
  if (!(parsed >= min && parsed <= max)) {
    throw new UsageError(`${what}: "${value}" is no number from ${min} to ${max}`);
  }
  return parsed;
}

/** A whole number of at least `min`, or undefined. */
export function whole(args: Arguments, name: string, min: number): number | undefined {
  const value = number(args, name, min, 0xffffffff);
  if (value !== undefined && !Number.isInteger(value)) throw new UsageError(`--${name} takes a whole number`);
  return value;
}

/** One of the words. */
export function word<Word extends string>(
  args: Arguments,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const value = text(args, name);
  if (value === undefined) return undefined;
  const found = words.find((candidate) => candidate === value);
  if (found === undefined)
    throw new UsageError(`--${name} takes ${words.join(', ')}; "${value}" is none of them`);
  return found;
}

/** Lines up columns of text, the numeric ones (`right`) to the right. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number> = new Set()): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          right.has(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** 431080 as "431,080". */
export const grouped = (count: number): string => count.toLocaleString('en-US');

/** Bytes in the unit that suits them. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(2)} %` : '–';
