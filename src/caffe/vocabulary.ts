/** What the string fields may say that Caffe gives a meaning to, by message and field. */
const words: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'FillerParameter.type': {
    constant: 'Every value is `value`.',
    uniform: 'Evenly from `min` to `max`.',
    gaussian: 'Normal, with `mean` and `std`.',
    xavier: 'Evenly within ±√(3 / fan): keeps the variance through linear layers.',
    msra: 'Normal with variance 2 / fan: keeps the variance through ReLUs.',
    bilinear: 'Bilinear interpolation, for a Deconvolution that upsamples.',
    positive_unitball: 'Positive, and the sum over each output is 1.',
  },
  'SolverParameter.type': {
    SGD: 'Gradient descent with momentum.',
    Adam: 'Moving averages of gradient and square (momentum, momentum2).',
    Nesterov: 'Momentum that looks ahead.',
    AdaGrad: 'Divides by the root of all squares so far.',
    RMSProp: 'Divides by the root of a moving mean of squares (rms_decay).',
    AdaDelta: 'Steps in the units of the weights (momentum as its decay).',
  },
  'SolverParameter.lr_policy': {
    fixed: 'base_lr all along.',
    step: 'Times gamma after every `stepsize` iterations.',
    multistep: 'Times gamma at each `stepvalue`.',
    exp: 'base_lr · gamma ^ iteration.',
    inv: 'base_lr · (1 + gamma · iteration) ^ -power.',
    poly: 'base_lr · (1 - iteration / max_iter) ^ power.',
    sigmoid: 'base_lr / (1 + exp(-gamma · (iteration - stepsize))).',
  },
  'SolverParameter.regularization_type': {
    L2: 'Weights shrink in proportion to themselves.',
    L1: 'Weights shrink by a constant; many become zero.',
  },
  'WindowDataParameter.crop_mode': {
    warp: 'Resize the window.',
    square: 'The smallest square around the window.',
  },
};

/** The words that a string field knows, with their meaning; undefined where any text will do. */
export const vocabularyOf = (message: string, field: string): Readonly<Record<string, string>> | undefined =>
  words[`${message}.${field}`];

/** Learning rate policies of forks: no error, though Caffe refuses them. */
export const forkPolicies: ReadonlySet<string> = new Set([
  'plateau',
  'multifixed',
  'warmup',
  'cosine',
  'multistep_warmup',
]);
