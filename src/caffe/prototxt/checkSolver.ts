import { phrase } from '../../phrase';
import type { SolverParameter } from '../messages';
import { nearest } from '../nearest';
import { solverTypes } from '../upgrade';
import { forkPolicies, vocabularyOf } from '../vocabulary';
import { removeFix, replaceWith, type Report, withGuess } from './diagnostic';
import { insideQuotes } from './netText';
import { fieldOf, scalarOf, type FieldNode, type MessageNode, type Prototxt, type Span } from './tree';

type Field = keyof SolverParameter;

/** What each policy needs, and what it is for when it is missing. */
const policyFields: Readonly<Record<string, readonly Field[]>> = {
  fixed: [],
  step: ['stepsize', 'gamma'],
  multistep: ['stepvalue', 'gamma'],
  exp: ['gamma'],
  inv: ['gamma', 'power'],
  poly: ['power', 'max_iter'],
  sigmoid: ['gamma', 'stepsize'],
};

/** The fields that only some solver types read. */
const typeFields: Readonly<Partial<Record<Field, readonly string[]>>> = {
  momentum2: ['Adam'],
  rms_decay: ['RMSProp'],
  delta: ['Adam', 'AdaGrad', 'RMSProp', 'AdaDelta'],
};

/**
 * Checks what the fields of a solver say together, as Caffe's Solver does when it starts: which nets there are, what the
 * learning rate policy and the type need, and what they do not read. `solver` is what could be read of `node`.
 */
export function checkSolver(
  prototxt: Prototxt,
  node: MessageNode,
  solver: SolverParameter,
  report: Report,
  exists?: (path: string) => boolean | undefined,
): void {
  if (node.fields.length === 0) return;
  const field = (name: Field): FieldNode | undefined => fieldOf(node, name);
  const place = (name: Field): Span => field(name)?.nameSpan ?? node.fields[0].nameSpan;
  checkNets(solver, place, report);
  checkCounts(node, solver, place, report);
  checkPolicy(prototxt, solver, field, place, report);
  checkType(prototxt, node, solver, field, place, report);
  if (!exists) return;
  for (const name of ['net', 'train_net', 'test_net', 'weights'] as const)
    for (const one of node.fields.filter((candidate) => candidate.name === name))
      for (const value of one.values) {
        if (value.kind !== 'string') continue;
        const span = insideQuotes(prototxt.text, value);
        const path = prototxt.text.slice(span.start, span.end);
        if (!path.includes(',') && exists(path) === false)
          report('missing-file', 'warning', span, phrase`There is no file "${path}" here or above`);
      }
}

function checkNets(solver: SolverParameter, place: (name: Field) => Span, report: Report): void {
  const train = (['net', 'net_param', 'train_net', 'train_net_param'] as const).filter(
    (name) => solver[name] !== undefined,
  );
  if (train.length === 0) {
    report(
      'solver',
      'error',
      place('net'),
      phrase`The solver names no net to train: set \`net\` to its prototxt`,
    );
    // What the tests need depends on the net.
    if (!solver.test_net && !solver.test_net_param) return;
  }
  // `net` and `net_param` may stand beside a test net, but not beside another train net.
  if (train.length > 1)
    report(
      'solver',
      'error',
      place(train[1]),
      phrase`Only one net can be trained, not both ${train[0]} and ${train[1]}`,
    );
  const own = (solver.test_net?.length ?? 0) + (solver.test_net_param?.length ?? 0);
  const shared = solver.net !== undefined || solver.net_param !== undefined;
  const tests = solver.test_iter?.length ?? 0;
  if (shared ? tests < own : tests !== own)
    report(
      'solver',
      'error',
      place(own > 0 ? (solver.test_net ? 'test_net' : 'test_net_param') : 'test_iter'),
      phrase`There must be one test_iter for each test net: ${own} net(s), but ${tests} test_iter`,
    );
  const states = solver.test_state?.length ?? 0;
  const nets = shared ? Math.max(tests, own) : own;
  if (states > 0 && states !== nets)
    report(
      'solver',
      'error',
      place('test_state'),
      phrase`There must be no test_state, or one for each of the ${nets} test nets, not ${states}`,
    );
  if (tests > 0 && (solver.test_interval ?? 0) <= 0)
    report(
      'solver',
      'error',
      place('test_iter'),
      phrase`test_iter needs test_interval: the iterations between tests`,
    );
  if (solver.test_interval && nets === 0)
    report(
      'solver',
      'warning',
      place('test_interval'),
      phrase`test_interval has no effect without test_iter`,
    );
}

function checkCounts(
  node: MessageNode,
  solver: SolverParameter,
  place: (name: Field) => Span,
  report: Report,
): void {
  // The policy that computes with it says so itself.
  if (!fieldOf(node, 'max_iter') && solver.lr_policy !== 'poly')
    report(
      'solver',
      'hint',
      place('max_iter'),
      phrase`The solver has no max_iter: unless the program that trains sets it, Caffe takes 0 and learns nothing`,
    );
  for (const name of ['iter_size', 'average_loss'] as const)
    if ((solver[name] ?? 1) < 1) report('solver', 'error', place(name), phrase`${name} must be positive`);
}

function checkPolicy(
  prototxt: Prototxt,
  solver: SolverParameter,
  field: (name: Field) => FieldNode | undefined,
  place: (name: Field) => Span,
  report: Report,
): void {
  // The rates of each stage stand for it in Intel Caffe.
  if (solver.base_lr === undefined && solver.lr_policy !== 'multifixed')
    report(
      'solver',
      'warning',
      place('base_lr'),
      phrase`The solver has no base_lr, the learning rate to start from: Caffe takes 0 and learns nothing`,
    );
  const policy = solver.lr_policy;
  if (policy === undefined) {
    if (!field('lr_policy'))
      report(
        'solver',
        'error',
        place('base_lr'),
        phrase`The solver has no lr_policy, such as "fixed" or "step"`,
      );
    return;
  }
  const needs = policyFields[policy];
  if (!needs) {
    if (forkPolicies.has(policy)) return;
    const span = stringSpan(prototxt, field('lr_policy')!);
    const guess = nearest(policy, Object.keys(vocabularyOf('SolverParameter', 'lr_policy')!));
    report('solver', 'error', span, withGuess(phrase`Unknown lr_policy "${policy}"`, guess), {
      fixes: guess ? [replaceWith(span, guess)] : [],
    });
    return;
  }
  for (const name of needs)
    if (solver[name] === undefined)
      report(
        'solver',
        name === 'gamma' || name === 'power' ? 'warning' : 'error',
        place('lr_policy'),
        name === 'gamma' || name === 'power'
          ? phrase`The policy "${policy}" needs ${name}; without it, it counts as 0`
          : phrase`The policy "${policy}" needs ${name}`,
      );
  for (const name of ['stepsize', 'stepvalue', 'gamma', 'power'] as const) {
    const useless = field(name);
    if (useless && !needs.includes(name))
      report('useless-field', 'hint', useless, phrase`The policy "${policy}" does not read ${name}`, {
        tag: 'unnecessary',
        fixes: [removeFix(prototxt, useless)],
      });
  }
  const values = solver.stepvalue ?? [];
  if (values.some((value, index) => index > 0 && value <= values[index - 1]))
    report('solver', 'error', place('stepvalue'), phrase`The stepvalues must rise`);
  if (field('stepsize') && needs.includes('stepsize') && policy === 'step' && (solver.stepsize ?? 1) <= 0)
    report('solver', 'error', place('stepsize'), phrase`stepsize must be positive`);
}

function checkType(
  prototxt: Prototxt,
  node: MessageNode,
  solver: SolverParameter,
  field: (name: Field) => FieldNode | undefined,
  place: (name: Field) => Span,
  report: Report,
): void {
  const old = field('solver_type');
  if (old) {
    const current = solver.solver_type && solverTypes[solver.solver_type];
    report(
      'deprecated',
      field('type') ? 'error' : 'information',
      old,
      field('type')
        ? phrase`Both type and solver_type are set`
        : phrase`solver_type is deprecated: write type`,
      {
        tag: 'deprecated',
        fixes: field('type')
          ? [removeFix(prototxt, old)]
          : current
            ? [
                {
                  title: phrase`Write type: "${current}"`,
                  preferred: true,
                  edits: [{ start: old.nameSpan.start, end: old.values[0].end, text: `type: "${current}"` }],
                },
              ]
            : [],
      },
    );
  }
  const type = solver.type ?? (solver.solver_type ? solverTypes[solver.solver_type] : 'SGD');
  const known = Object.keys(vocabularyOf('SolverParameter', 'type')!);
  const written = scalarOf(node, 'type');
  if (!known.includes(type) && written?.kind === 'string') {
    const span = insideQuotes(prototxt.text, written);
    const guess = nearest(type, known);
    report(
      'solver',
      guess ? 'error' : 'warning',
      span,
      withGuess(phrase`Caffe has no solver "${type}"`, guess),
      {
        fixes: guess ? [replaceWith(span, guess)] : [],
      },
    );
    return;
  }
  for (const [name, types] of Object.entries(typeFields) as [Field, readonly string[]][]) {
    const useless = field(name);
    if (useless && known.includes(type) && !types.includes(type))
      report('useless-field', 'hint', useless, phrase`The solver ${type} does not read ${name}`, {
        tag: 'unnecessary',
        fixes: [removeFix(prototxt, useless)],
      });
  }
  if ((type === 'AdaGrad' || type === 'RMSProp') && (solver.momentum ?? 0) !== 0)
    report('solver', 'error', place('momentum'), phrase`${type} cannot be used with momentum`, {
      fixes: [removeFix(prototxt, field('momentum')!)],
    });
}

function stringSpan({ text }: Prototxt, field: FieldNode): Span {
  const value = field.values[0];
  return value?.kind === 'string' ? insideQuotes(text, value) : (value ?? field.nameSpan);
}
