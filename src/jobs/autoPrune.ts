import { countKept, maskOfKeep } from '../sparsity/masks';
import { type AutoSchedule, type RetrainEvent, scoreOf, type Session } from './retrain';
import { type PrunedParam, pruneTo } from './schedule';
import type { TrainingContext } from './train';
import type { Figures, MeasuredOn } from './trainer';

/** Share of the living weights that the first round takes; halved when the accuracy cannot be regained. */
const firstStep = 0.5;
/** Below this step the search is over. */
const leastStep = 0.04;

/**
 * Looks for the sparsest weights within a tolerance of the baseline. Each round tries on every blob alone what pruning
 * a share of its living weights does to the loss (a small sweep), takes from the blobs that suffer least until the
 * share is reached over all, and retrains. A round that cannot regain the accuracy is undone and tried with half the
 * share.
 */
export async function* autoPrune(
  session: Session,
  { tolerance, perRound }: AutoSchedule,
  {
    baseline,
    chosenOn,
    iterations,
    context,
  }: { baseline: Figures; chosenOn: MeasuredOn; iterations: number; context: TrainingContext },
): AsyncGenerator<RetrainEvent, void> {
  const { trainer, params } = session;
  const { signal, control } = context;
  const wanted = scoreOf(baseline) - tolerance;
  const measureEvery = Math.max(1, Math.ceil(perRound / 5));

  for (const param of params) trainer.solver.setMask(param.layer, param.blob, param.mask);
  let step = firstStep;
  while (step >= leastStep && trainer.solver.iteration < iterations && control?.stopping !== true) {
    const before = remember(session);
    for (const [param, keep] of await leastHarmful(session, step, chosenOn, signal))
      pruneTo(trainer, param, keep);
    let regained = false;
    for (let i = 1; i <= perRound && !regained && trainer.solver.iteration < iterations; i++) {
      if (control?.stopping) break;
      yield* session.step(trainer.solver.iteration + 1, context);
      if (i % measureEvery !== 0 && i !== perRound) continue;
      const measurement = yield* session.measure(trainer.solver.iteration, chosenOn, false, signal);
      const score = scoreOf(measurement[chosenOn]!);
      regained = score >= wanted;
      // Sparser than what was kept before, so it takes its place even where it scores less.
      if (regained) session.keep(measurement, score);
    }
    if (!regained) {
      before();
      step /= 2;
    }
  }
}

/** Remembers weights and masks; the function that is returned brings them back. */
function remember({ trainer, params }: Session): () => void {
  const weights = trainer.net.params.map(({ blob }) => blob.data.slice());
  const masks = params.map(({ mask }) => mask);
  return () => {
    weights.forEach((values, i) => trainer.net.params[i].blob.data.set(values));
    params.forEach((param, i) => {
      param.mask = masks[i];
      trainer.solver.setMask(param.layer, param.blob, param.mask);
    });
  };
}

/** The blobs to prune in a round, each with its new keep ratio, so that `share` of all living weights go. */
async function leastHarmful(
  { trainer, params }: Session,
  share: number,
  chosenOn: MeasuredOn,
  signal: AbortSignal,
): Promise<[PrunedParam, number][]> {
  const candidates = [];
  for (const param of params) {
    const living = countKept(param.mask);
    const fewer = Math.max(1, Math.floor(living * (1 - share)));
    if (fewer >= living) continue;
    const old = param.values.slice();
    const keep = fewer / param.mask.length;
    const mask = maskOfKeep(param.values, keep);
    for (let i = 0; i < mask.length; i++) if (mask[i] === 0) param.values[i] = 0;
    const { loss } = await trainer.measure(chosenOn, signal);
    param.values.set(old);
    candidates.push({ param, keep, gain: living - fewer, loss });
  }
  candidates.sort((a, b) => a.loss - b.loss || b.gain - a.gain);
  let wanted = share * 0.75 * params.reduce((sum, { mask }) => sum + countKept(mask), 0);
  const taken: [PrunedParam, number][] = [];
  for (const { param, keep, gain } of candidates) {
    if (wanted <= 0) break;
    taken.push([param, keep]);
    wanted -= gain;
  }
  return taken;
}
