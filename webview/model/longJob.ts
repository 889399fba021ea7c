import { useEffect, useReducer, useRef } from 'preact/hooks';
import type { LongJob, PageJobs } from '../../src/protocol';
import { reasonOf } from '../l10n';
import { isCancelled, type Steer } from '../../src/rpc';
import { host } from '../host';

/** What a page knows of one of its model's long jobs. */
export interface JobState<Told, Result> {
  running: boolean;
  /** What the events so far come to. */
  told: Told;
  result?: Result;
  error?: string;
}

/** Events are gathered for this long, so that the page is drawn once for many. */
const gatherMs = 80;

/**
 * Follows a long job, which may have begun before the page was there, and starts and steers it.
 * @param fold adds an event to what was told; it may change `told` in place
 */
export function useLongJob<Job extends LongJob, Told>(
  job: Job,
  none: () => Told,
  fold: (told: Told, event: PageJobs[Job]['event']) => Told,
  /** When it changes, what the job left behind is looked for again, unless the job runs. */
  again?: unknown,
): JobState<Told, NonNullable<PageJobs[Job]['result']>> & {
  start: (request: NonNullable<PageJobs[Job]['params']>) => void;
  steer: (to: Steer | 'cancel') => void;
} {
  type State = JobState<Told, NonNullable<PageJobs[Job]['result']>>;
  const [, render] = useReducer((count: number) => count + 1, 0);
  const state = useRef<State>({ running: false, told: none() });
  const following = useRef<AbortController | undefined>(undefined);

  const follow = async (request: PageJobs[Job]['params']) => {
    following.current?.abort();
    const controller = new AbortController();
    following.current = controller;
    // What is known stays until the answer comes.
    state.current = { ...(request ? {} : state.current), running: request !== undefined, told: none() };
    render(undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const drawSoon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (following.current === controller) render(undefined);
      }, gatherMs);
    };
    const set = (change: Partial<State>) => {
      if (following.current !== controller) return;
      state.current = { ...state.current, ...change };
      drawSoon();
    };
    try {
      const result = await host.run(job, request, {
        signal: controller.signal,
        onEvent: (event) => set({ running: true, told: fold(state.current.told, event) }),
      });
      set({ running: false, result: (result ?? undefined) as State['result'] });
    } catch (error) {
      set({ running: false, error: isCancelled(error) ? undefined : reasonOf(error) });
      // What was there before is there again.
      if (isCancelled(error) && request !== undefined && following.current === controller)
        void follow(undefined);
    }
  };

  useEffect(() => {
    if (!state.current.running) void follow(undefined);
  }, [again]);
  useEffect(
    () => () => {
      following.current?.abort();
      following.current = undefined;
    },
    [],
  );
  return {
    ...state.current,
    start: (request) => void follow(request),
    steer: (to) => void host.run('steer', { job, to }),
  };
}
