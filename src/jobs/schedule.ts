import { countKept, gradualKeep, type Mask, maskOfKeep, maskOfNonZero, splice } from '../sparsity/masks';
import type { Trainer } from './trainer';

/** How the weights become fewer while a model is retrained. */
export type Schedule =
  /** Prune once, then retrain. */
  | { kind: 'oneShot' }
  /** Prune in `rounds` steps of equal ratio (the keep ratio falls as a geometric series), and retrain after each. */
  | { kind: 'iterative'; rounds: number }
  /** Prune a little every `interval` iterations along a cubic (Zhu & Gupta 2017), then retrain what is left. */
  | { kind: 'gradual'; interval: number }
  /**
   * As gradual, but pruned weights go on being trained unseen and come back when they have grown (Guo 2016); surgery
   * gets rarer with time.
   */
  | { kind: 'splicing'; interval: number };

/**
 * As sparse as possible: per layer, rounds prune what the measured loss misses least, and retrain for at most
 * `perRound` iterations until the accuracy is within `tolerance` (a fraction) of the baseline again.
 */
export interface AutoSchedule {
  kind: 'auto';
  tolerance: number;
  perRound: number;
}

/** Share of the iterations in which pruning goes on in steps; the rest lets the net recover. */
const pruningShare = 0.6;

/** A blob that is pruned while it is trained. */
export interface PrunedParam {
  layer: string;
  blob: number;
  /** Share of its weights that stays in the end. */
  keep: number;
  /** Share that is there at the beginning. */
  initial: number;
  values: Float32Array;
  mask: Mask;
}

/** Takes the blobs to prune out of a net; what is zero already stays pruned. */
export function prunedParams(
  trainer: Trainer,
  choices: readonly { layer: string; blob: number; keep: number }[],
): PrunedParam[] {
  return choices.map(({ layer, blob, keep }) => {
    const values = trainer.net.params.find((param) => param.layer === layer && param.index === blob)!.blob
      .data;
    const mask = maskOfNonZero(values);
    return { layer, blob, keep, initial: countKept(mask) / mask.length, values, mask };
  });
}

/** Prunes a blob to a keep ratio by magnitude; in surgery, weights under the mask are candidates too. */
export function pruneTo(trainer: Trainer, param: PrunedParam, keep: number): void {
  const { layer, blob, values } = param;
  // A blob that begins with as few weights as it is to have keeps each of them.
  if (keep < param.initial)
    param.mask = maskOfKeep(trainer.solver.weightsUnderMask(layer, blob) ?? values, keep);
  trainer.solver.setMask(param.layer, param.blob, param.mask);
}

/**
 * What a schedule does before iteration `done` of `total`, counted from 0.
 * @returns true when masks changed
 */
export function applySchedule(
  schedule: Schedule,
  trainer: Trainer,
  params: readonly PrunedParam[],
  done: number,
  total: number,
): boolean {
  switch (schedule.kind) {
    case 'oneShot':
      if (done > 0) return false;
      for (const param of params) pruneTo(trainer, param, Math.min(param.keep, param.initial));
      return true;
    case 'iterative': {
      const perRound = Math.max(1, Math.floor((total * pruningShare) / schedule.rounds));
      const round = done / perRound + 1;
      if (!Number.isInteger(round) || round > schedule.rounds) return false;
      for (const param of params) {
        const { initial, keep } = param;
        pruneTo(trainer, param, Math.min(initial, initial * (keep / initial) ** (round / schedule.rounds)));
      }
      return true;
    }
    case 'gradual':
    case 'splicing': {
      const end = Math.floor(total * pruningShare);
      const last = done >= end && done - schedule.interval < end;
      if (done % schedule.interval !== 0 || (done > end && !last)) return false;
      const progress = end > 0 ? done / end : 1;
      for (const param of params) {
        const keep = Math.min(param.initial, gradualKeep(param.initial, param.keep, progress));
        if (schedule.kind === 'gradual' || last) pruneTo(trainer, param, keep);
        else spliceParam(trainer, param, keep);
      }
      return true;
    }
  }
}

function spliceParam(trainer: Trainer, param: PrunedParam, keep: number): void {
  const unseen = trainer.solver.weightsUnderMask(param.layer, param.blob) ?? param.values;
  const mask = param.mask.slice();
  splice(unseen, mask, keep);
  param.mask = mask;
  trainer.solver.setSplicedMask(param.layer, param.blob, mask);
}
