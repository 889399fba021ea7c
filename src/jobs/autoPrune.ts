import { countKept, maskOfKeep } from '../sparsity/masks';
import { type RetrainEvent, type RetrainSession, scoreOf } from './retrainSession';
import { type AutoSchedule, type PrunedParam, pruneTo } from './schedule';
import type { TrainingContext } from './train';
import type { Figures, MeasuredOn } from './trainer';

/** Share of the living weights that the first round takes; halved when the accuracy cannot be regained. */
const firstStep = 0.5;
/** Below this step the search is over. */
const leastStep = 0.04;
/** Part of what all blobs together would lose in a round that is taken: those that suffer most are spared. */
const taken = 0.75;

/**
 * Looks for the sparsest weights within a tolerance of the baseline. Each round tries on every blob alone what pruning
 * a share of its living weights does to the loss (a small sweep), prunes the blobs that suffer least, until three
 * quarters of what all of them would lose is gone, and retrains. A round that cannot regain the accuracy is undone and
 * tried with half the share.
 */
export async function* autoPrune(
  session: RetrainSession,
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

  if (session.search === undefined) {
    session.search = { step: firstStep, done: 0 };
    for (const param of params) trainer.solver.setMask(param.layer, param.blob, param.mask);
    // What there is to go back to.
    yield* session.measure(chosenOn, () => true, signal);
  }
  const { search } = session;
  for (;;) {
    if (search.done % measureEvery === 0 || search.done === perRound) {
      if (session.best?.measurement === session.history.at(-1)) {
        search.done = 0;
      } else if (search.done === perRound) {
        session.takeBest();
        search.step /= 2;
        search.done = 0;
      }
    }
    if (search.step < leastStep || trainer.solver.iteration >= iterations || control?.stopping === true)
      return;
    if (search.done === 0) {
      for (const [param, keep] of await leastHarmful(session, search.step, chosenOn, signal))
        pruneTo(trainer, param, keep);
    }
    yield* session.step(trainer.solver.iteration + 1, context);
    search.done++;
    if (search.done % measureEvery === 0 || search.done === perRound) {
      // Sparser than what was kept before, so it takes its place even where it scores less.
      yield* session.measure(chosenOn, (score) => score >= wanted, signal);
    }
  }
}

/** The blobs to prune in a round, each with its new keep ratio, so that `share` of all living weights go. */
async function leastHarmful(
  { trainer, params }: RetrainSession,
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
  let wanted = share * taken * params.reduce((sum, { mask }) => sum + countKept(mask), 0);
  const chosen: [PrunedParam, number][] = [];
  for (const { param, keep, gain } of candidates) {
    if (wanted <= 0) break;
    chosen.push([param, keep]);
    wanted -= gain;
  }
  return chosen;
}
