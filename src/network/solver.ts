import { CaffeError } from '../caffe/errors';
import type { NetParameter, NetState, SolverParameter } from '../caffe/messages';
import { solverTypes } from '../caffe/upgrade';
import { phrase, type Phrase } from '../phrase';
import type { Engine, Update } from '../tensor/engine';
import type { NetPurpose } from './graph';
import type { Phase } from './layer';
import type { Net } from './net';
import { count, type Shape } from './shape';

/** What a step of training gave. */
export interface StepResult {
  /** Iterations done, this one included. */
  iteration: number;
  /** Loss of this iteration, averaged over `iter_size`. */
  loss: number;
  /** Loss averaged over the last `average_loss` iterations. */
  smoothedLoss: number;
  /** The learning rate that was used, before `lr_mult`. */
  rate: number;
}

/** What a `.solverstate` holds besides the weights: SolverState of caffe.proto, histories in Caffe's order. */
export interface SolverSnapshot {
  iter: number;
  currentStep: number;
  history: { shape: Shape; data: Float32Array }[];
}

/** What Caffe takes for fields that the solver leaves out. */
const defaults = {
  iter_size: 1,
  average_loss: 1,
  clip_gradients: -1,
  momentum2: 0.999,
  rms_decay: 0.99,
  delta: 1e-8,
} as const;

/** What helps where values stop to be finite. */
export const divergenceAdvice = phrase`Lower base_lr, or set clip_gradients`;

/** One step of one kind of solver on one blob; `iteration` counts from 1. */
type Rule = (engine: Engine, update: Update, solver: SolverParameter, iteration: number) => void;

const rules: Record<string, { histories: 1 | 2; apply: Rule }> = {
  SGD: { histories: 1, apply: (engine, update, { momentum = 0 }) => engine.sgd(update, momentum) },
  Nesterov: { histories: 1, apply: (engine, update, { momentum = 0 }) => engine.nesterov(update, momentum) },
  AdaGrad: {
    histories: 1,
    apply: (engine, update, { delta = defaults.delta }) => engine.adaGrad(update, delta),
  },
  RMSProp: {
    histories: 1,
    apply: (engine, update, { rms_decay = defaults.rms_decay, delta = defaults.delta }) =>
      engine.rmsProp(update, rms_decay, delta),
  },
  AdaDelta: {
    histories: 2,
    apply: (engine, update, { momentum = 0, delta = defaults.delta }) =>
      engine.adaDelta(update, momentum, delta),
  },
  Adam: {
    histories: 2,
    apply(engine, update, { momentum = 0, momentum2 = defaults.momentum2, delta = defaults.delta }, t) {
      const correction = Math.sqrt(1 - momentum2 ** t) / (1 - momentum ** t);
      engine.adam({ ...update, rate: update.rate * correction }, momentum, momentum2, delta);
    },
  },
};

/** The kind of solver that the parameters ask for: `type`, or the older `solver_type`. */
function ruleOf({ type, solver_type }: SolverParameter) {
  const name = type ?? (solver_type === undefined ? 'SGD' : solverTypes[solver_type]);
  const rule = name in rules ? rules[name] : undefined;
  if (rule) return rule;
  throw new CaffeError(phrase`Unknown solver type "${name}"`, {
    advice: phrase`Caffe knows ${Object.keys(rules).join(', ')}`,
  });
}

/**
 * The learning rate of an iteration (counted from 0) and the step of the policy (`GetLearningRate` of
 * sgd_solver.cpp). `step` goes on from the one before, since multistep takes one step value at a time.
 */
export function learningRate(
  solver: SolverParameter,
  iteration: number,
  step: number,
): { rate: number; step: number } {
  const { base_lr: base = 0, gamma = 0, power = 0, stepsize = 0, stepvalue = [], max_iter = 0 } = solver;
  const policy = solver.lr_policy ?? '';
  const refuse = (violation: boolean, message: Phrase) => {
    if (violation) throw new CaffeError(phrase`lr_policy "${policy}": ${message}`);
  };
  if (['step', 'exp', 'inv', 'multistep', 'sigmoid'].includes(policy))
    refuse(gamma < 0, phrase`gamma must not be negative`);
  if (['step', 'sigmoid'].includes(policy)) refuse(stepsize <= 0, phrase`stepsize must be positive`);
  switch (policy) {
    case 'fixed':
      return { rate: base, step };
    case 'step': {
      const steps = Math.floor(iteration / stepsize);
      return { rate: base * gamma ** steps, step: steps };
    }
    case 'exp':
      return { rate: base * gamma ** iteration, step };
    case 'inv':
      return { rate: base * (1 + gamma * iteration) ** -power, step };
    case 'multistep': {
      const steps = step < stepvalue.length && iteration >= stepvalue[step] ? step + 1 : step;
      return { rate: base * gamma ** steps, step: steps };
    }
    case 'poly':
      return { rate: base * (1 - iteration / max_iter) ** power, step };
    case 'sigmoid':
      return { rate: base / (1 + Math.exp(-gamma * (iteration - stepsize))), step };
    default:
      throw new CaffeError(phrase`Unknown learning rate policy "${policy}"`, {
        advice: phrase`Caffe knows fixed, step, exp, inv, multistep, poly and sigmoid`,
      });
  }
}

/** A net to make, and for what. */
export interface NetPlan {
  net: NetParameter;
  purpose: NetPurpose;
}

/** Merges states, later ones over earlier ones, as protobuf's MergeFrom: the last phase and level, all stages. */
function purposeOf(phase: Phase, states: (NetState | undefined)[]): NetPurpose {
  const given = states.filter((state) => state !== undefined);
  return {
    phase: given.reduce((last, state) => state.phase ?? last, phase),
    level: given.reduce<number | undefined>((last, state) => state.level ?? last, undefined),
    stages: given.flatMap(({ stage }) => stage ?? []),
  };
}

/**
 * The nets that a solver names: the one to train, and those to test with their number of iterations.
 * @param load reads a net by the path in the solver
 * @throws CaffeError where the fields contradict each other, as Solver::InitTrainNet and InitTestNets
 */
export async function netsOf(
  solver: SolverParameter,
  load: (path: string) => Promise<NetParameter>,
): Promise<{ train: NetPlan; tests: (NetPlan & { iterations: number })[] }> {
  const { net, net_param, train_net, train_net_param } = solver;
  const given = [net, net_param, train_net, train_net_param].filter((field) => field !== undefined);
  if (given.length !== 1) {
    throw new CaffeError(
      phrase`A solver must name one net to train by net, net_param, train_net or train_net_param, not ${given.length}`,
    );
  }
  const generic = net_param ?? (net === undefined ? undefined : await load(net));
  const trained = train_net_param ?? generic ?? (await load(train_net ?? ''));
  const testNets = [...(solver.test_net_param ?? [])];
  for (const path of solver.test_net ?? []) testNets.push(await load(path));
  const iterations = solver.test_iter ?? [];
  if (generic) while (testNets.length < iterations.length) testNets.push(generic);
  if (testNets.length !== iterations.length) {
    throw new CaffeError(
      phrase`test_iter must be specified for each test net: ${testNets.length} nets, ${iterations.length} times test_iter`,
    );
  }
  const states = solver.test_state ?? [];
  if (states.length > 0 && states.length !== testNets.length) {
    throw new CaffeError(phrase`test_state must be unspecified or specified once per test net`);
  }
  return {
    train: { net: trained, purpose: purposeOf('TRAIN', [solver.train_state]) },
    tests: testNets.map((test, i) => ({
      net: test,
      purpose: purposeOf('TEST', [states[i]]),
      iterations: iterations[i],
    })),
  };
}

/**
 * Trains a net as caffe::Solver: the solvers, learning rate policies and regularisation of Caffe. Weights with a
 * mask of 0 are exactly 0 after every step, and so is what the solver remembers of them.
 */
export class Solver {
  /** Iterations done. */
  iteration = 0;
  private currentStep = 0;
  private readonly rule: { histories: 1 | 2; apply: Rule };
  private readonly histories: Float32Array[];
  private readonly masks: (Float32Array | undefined)[];
  /** Of blobs in surgery, all weights, those under the mask too. */
  private readonly unmasked: (Float32Array | undefined)[];
  private readonly losses: number[] = [];
  private smoothedLoss = 0;

  /**
   * @param feed puts the next batch into the net's data layers
   * @throws CaffeError for a type of solver or regularisation that Caffe does not know
   */
  constructor(
    private readonly parameter: SolverParameter,
    private readonly net: Net,
    private readonly engine: Engine,
    private readonly feed: () => Promise<void>,
  ) {
    this.rule = ruleOf(parameter);
    const kind = parameter.regularization_type ?? 'L2';
    if (kind !== 'L1' && kind !== 'L2') throw new CaffeError(phrase`Unknown regularization type "${kind}"`);
    learningRate(parameter, 0, 0);
    this.masks = net.params.map(() => undefined);
    this.unmasked = net.params.map(() => undefined);
    this.histories = Array.from({ length: this.rule.histories }, () => net.params)
      .flat()
      .map(({ blob }) => engine.allocate(blob.data.length));
  }

  /**
   * Prunes weights: those with a mask of 0 become 0 at once and stay it. Without a mask all live again.
   * @param mask one value for each weight of the blob, 0 or 1
   */
  setMask(layer: string, index: number, mask: ArrayLike<number> | undefined): void {
    const at = this.indexOf(layer, index);
    const { data } = this.net.params[at].blob;
    const old = this.masks[at];
    const unmasked = this.unmasked[at];
    if (unmasked) {
      data.set(unmasked);
      this.engine.free(unmasked);
      this.unmasked[at] = undefined;
    }
    if (mask === undefined) {
      if (old) this.engine.free(old);
      this.masks[at] = undefined;
      return;
    }
    const own = this.takeMask(at, mask);
    for (const values of [data, ...this.historiesOf(at)])
      for (let i = 0; i < own.length; i++) if (own[i] === 0) values[i] = 0;
  }

  /**
   * Prunes weights as {@link Solver.setMask}, but goes on training them unseen, with the gradients of the pruned net,
   * so that a later mask can bring them back (Dynamic Network Surgery, Guo 2016, equation 2). The net itself only
   * ever sees them as 0.
   */
  setSplicedMask(layer: string, index: number, mask: ArrayLike<number>): void {
    const at = this.indexOf(layer, index);
    const { data } = this.net.params[at].blob;
    let unmasked = this.unmasked[at];
    if (!unmasked) {
      unmasked = this.engine.allocate(data.length);
      unmasked.set(data);
      this.unmasked[at] = unmasked;
    }
    const own = this.takeMask(at, mask);
    for (let i = 0; i < data.length; i++) data[i] = own[i] === 0 ? 0 : unmasked[i];
  }

  /** All weights of a blob in surgery, those under its mask too: valid until the next step. */
  weightsUnderMask(layer: string, index: number): Float32Array | undefined {
    return this.unmasked[this.indexOf(layer, index)];
  }

  /**
   * One iteration: forward and backward over `iter_size` batches, then an update.
   * @throws CaffeError when the loss is no finite number; the weights are then as before
   */
  async step(): Promise<StepResult> {
    this.net.clearGradients();
    // What dropout draws depends on the iteration alone, so that a training that goes on draws it too.
    this.net.reseed(this.iteration);
    let loss = 0;
    for (let i = 0; i < this.batchesPerStep; i++) {
      await this.feed();
      loss += this.net.forward() / this.batchesPerStep;
      if (!Number.isFinite(loss)) this.reportNotFinite(loss);
      this.net.backward();
    }
    this.smooth(loss);
    const rate = this.update();
    return { iteration: this.iteration, loss, smoothedLoss: this.smoothedLoss, rate };
  }

  /** Batches that one iteration takes (`iter_size`). */
  get batchesPerStep(): number {
    return this.parameter.iter_size ?? defaults.iter_size;
  }

  /** Everything but the weights that training goes on from. The arrays are copies. */
  state(): SolverSnapshot {
    const shapes = this.net.params.map(({ blob }) => blob.shape);
    return {
      iter: this.iteration,
      currentStep: this.currentStep,
      history: this.histories.map((data, i) => ({ shape: shapes[i % shapes.length], data: data.slice() })),
    };
  }

  /**
   * Goes on from a state of the same kind of solver on the same net.
   * @throws CaffeError when the histories do not fit
   */
  restore({ iter, currentStep, history }: SolverSnapshot): void {
    if (history.length !== this.histories.length) {
      throw new CaffeError(
        phrase`the solver state has ${history.length} history blobs, this solver needs ${this.histories.length}`,
        { advice: phrase`Take a state that the same type of solver saved for the same net` },
      );
    }
    this.histories.forEach((own, i) => {
      const { shape } = history[i];
      if (count(shape) !== own.length)
        throw new CaffeError(
          phrase`history blob ${i} of the solver state has ${count(shape)} values, not ${own.length}`,
        );
    });
    this.histories.forEach((own, i) => {
      own.set(history[i].data);
      const mask = this.masks[i % this.masks.length];
      if (mask) for (let j = 0; j < own.length; j++) if (mask[j] === 0) own[j] = 0;
    });
    this.iteration = iter;
    this.currentStep = currentStep;
  }

  /** Gives the memory of histories and masks back; the net stays. */
  dispose(): void {
    for (const array of [...this.histories, ...this.masks, ...this.unmasked])
      if (array) this.engine.free(array);
  }

  private indexOf(layer: string, index: number): number {
    const at = this.net.params.findIndex((param) => param.layer === layer && param.index === index);
    if (at < 0) throw new CaffeError(phrase`the net has no blob ${index} of its own in layer "${layer}"`);
    return at;
  }

  /** Copies a mask into memory of the engine. */
  private takeMask(at: number, mask: ArrayLike<number>): Float32Array {
    const { layer, blob } = this.net.params[at];
    if (mask.length !== blob.data.length) {
      throw new CaffeError(
        phrase`a mask of ${mask.length} values does not fit a blob of ${blob.data.length}`,
        {
          layer,
        },
      );
    }
    const own = this.masks[at] ?? this.engine.allocate(mask.length);
    own.set(mask);
    this.masks[at] = own;
    return own;
  }

  private historiesOf(param: number): Float32Array[] {
    const { length } = this.net.params;
    return Array.from({ length: this.rule.histories }, (_, i) => this.histories[i * length + param]);
  }

  /** Updates the weights (`SGDSolver::ApplyUpdate`) and returns the learning rate. */
  private update(): number {
    const { rate, step } = learningRate(this.parameter, this.iteration, this.currentStep);
    this.currentStep = step;
    this.iteration++;
    const { weight_decay = 0, regularization_type = 'L2' } = this.parameter;
    const factor = this.clipFactor() / this.batchesPerStep;
    this.net.params.forEach(({ blob: { data, diff }, lrMult, decayMult }, i) => {
      if (lrMult === 0) return;
      const decay = weight_decay * decayMult;
      const unmasked = this.unmasked[i];
      if (unmasked) data.set(unmasked);
      if (factor !== 1) this.engine.sum([diff], [factor], diff);
      if (decay !== 0) {
        if (regularization_type === 'L2') this.engine.axpy(decay, data, diff);
        else for (let j = 0; j < diff.length; j++) diff[j] += decay * Math.sign(data[j]);
      }
      const [history, history2] = this.historiesOf(i);
      const update = {
        data,
        diff,
        history,
        history2,
        mask: unmasked ? undefined : this.masks[i],
        rate: rate * lrMult,
      };
      this.rule.apply(this.engine, update, this.parameter, this.iteration);
      if (unmasked) {
        const mask = this.masks[i]!;
        unmasked.set(data);
        for (let j = 0; j < data.length; j++) if (mask[j] === 0) data[j] = 0;
      }
    });
    return rate;
  }

  /** What `clip_gradients` scales the gradients by: their norm over all living weights is cut to that value. */
  private clipFactor(): number {
    const { clip_gradients: limit = defaults.clip_gradients } = this.parameter;
    if (limit < 0) return 1;
    let squares = 0;
    this.net.params.forEach(({ blob: { diff } }, i) => {
      const mask = this.unmasked[i] ? undefined : this.masks[i];
      if (mask) for (let j = 0; j < diff.length; j++) diff[j] *= mask[j];
      squares += this.engine.sumOfSquares(diff);
    });
    const norm = Math.sqrt(squares);
    return norm > limit ? limit / norm : 1;
  }

  /** `Solver::UpdateSmoothedLoss`. */
  private smooth(loss: number): void {
    const { average_loss = defaults.average_loss } = this.parameter;
    this.losses.push(loss);
    if (this.losses.length > average_loss) this.losses.shift();
    this.smoothedLoss = this.losses.reduce((sum, value) => sum + value, 0) / this.losses.length;
  }

  private reportNotFinite(loss: number): never {
    const found = this.net.findNotFinite();
    const what = phrase`The loss became ${loss} in iteration ${this.iteration + 1}`;
    const first =
      found?.what === 'weights'
        ? phrase`it appears first in the weights of this layer`
        : phrase`it appears first in the outputs of this layer`;
    throw new CaffeError(found ? phrase`${what}; ${first}` : what, {
      layer: found?.layer,
      advice: divergenceAdvice,
    });
  }
}
