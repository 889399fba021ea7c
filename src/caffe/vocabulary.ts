import { phrase, type Phrase } from '../phrase';
/** What the string fields may say that Caffe gives a meaning to, by message and field. */
const words: Readonly<Record<string, Readonly<Record<string, Phrase>>>> = {
  'FillerParameter.type': {
    constant: phrase`Every value is \`value\`.`,
    uniform: phrase`Evenly from \`min\` to \`max\`.`,
    gaussian: phrase`Normal, with \`mean\` and \`std\`.`,
    xavier: phrase`Evenly within ±√(3 / fan): keeps the variance through linear layers.`,
    msra: phrase`Normal with variance 2 / fan: keeps the variance through ReLUs.`,
    bilinear: phrase`Bilinear interpolation, for a Deconvolution that upsamples.`,
    positive_unitball: phrase`Positive, and the sum over each output is 1.`,
  },
  'SolverParameter.type': {
    SGD: phrase`Gradient descent with momentum.`,
    Adam: phrase`Moving averages of gradient and square (momentum, momentum2).`,
    Nesterov: phrase`Momentum that looks ahead.`,
    AdaGrad: phrase`Divides by the root of all squares so far.`,
    RMSProp: phrase`Divides by the root of a moving mean of squares (rms_decay).`,
    AdaDelta: phrase`Steps in the units of the weights (momentum as its decay).`,
  },
  'SolverParameter.lr_policy': {
    fixed: phrase`base_lr all along.`,
    step: phrase`Times gamma after every \`stepsize\` iterations.`,
    multistep: phrase`Times gamma at each \`stepvalue\`.`,
    exp: phrase`base_lr · gamma ^ iteration.`,
    inv: phrase`base_lr · (1 + gamma · iteration) ^ -power.`,
    poly: phrase`base_lr · (1 - iteration / max_iter) ^ power.`,
    sigmoid: phrase`base_lr / (1 + exp(-gamma · (iteration - stepsize))).`,
  },
  'SolverParameter.regularization_type': {
    L2: phrase`Weights shrink in proportion to themselves.`,
    L1: phrase`Weights shrink by a constant; many become zero.`,
  },
  'WindowDataParameter.crop_mode': {
    warp: phrase`Resize the window.`,
    square: phrase`The smallest square around the window.`,
  },
};

/** The words that a string field knows, with their meaning; undefined where any text will do. */
export const vocabularyOf = (message: string, field: string): Readonly<Record<string, Phrase>> | undefined =>
  words[`${message}.${field}`];

/** Learning rate policies of forks: no error, though Caffe refuses them. */
export const forkPolicies: ReadonlySet<string> = new Set([
  'plateau',
  'multifixed',
  'warmup',
  'cosine',
  'multistep_warmup',
]);

/** The fields whose unknown words end Caffe when it comes to them, with those that it knows. */
export const fatalWords: ReadonlyMap<string, readonly string[]> = new Map(
  ['FillerParameter.type', 'SolverParameter.regularization_type'].map((field) => [
    field,
    Object.keys(words[field]),
  ]),
);

/** What other frameworks call a field, and what Caffe does. */
export const otherNames: ReadonlyMap<string, string> = new Map([
  ['padding', 'pad'],
  ['filters', 'num_output'],
  ['num_filter', 'num_output'],
  ['num_filters', 'num_output'],
  ['out_channels', 'num_output'],
  ['units', 'num_output'],
  ['kernel', 'kernel_size'],
  ['filter_size', 'kernel_size'],
  ['bias', 'bias_term'],
  ['use_bias', 'bias_term'],
  ['epsilon', 'eps'],
  ['dropout', 'dropout_ratio'],
  ['rate', 'dropout_ratio'],
  ['ratio', 'dropout_ratio'],
  ['batch', 'batch_size'],
  ['learning_rate', 'base_lr'],
  ['lr', 'base_lr'],
  ['policy', 'lr_policy'],
  ['iterations', 'max_iter'],
  ['max_iterations', 'max_iter'],
  ['regularization', 'regularization_type'],
]);

/** What other frameworks call a layer type, and what Caffe does. */
export const otherTypes: ReadonlyMap<string, string> = new Map([
  ['Conv', 'Convolution'],
  ['Conv2D', 'Convolution'],
  ['Linear', 'InnerProduct'],
  ['Dense', 'InnerProduct'],
  ['FC', 'InnerProduct'],
  ['FullyConnected', 'InnerProduct'],
  ['MaxPool', 'Pooling'],
  ['MaxPooling', 'Pooling'],
  ['AvgPool', 'Pooling'],
  ['BatchNormalization', 'BatchNorm'],
  ['SoftmaxLoss', 'SoftmaxWithLoss'],
  ['CrossEntropyLoss', 'SoftmaxWithLoss'],
  ['MSELoss', 'EuclideanLoss'],
  ['Add', 'Eltwise'],
  ['Concatenate', 'Concat'],
]);
