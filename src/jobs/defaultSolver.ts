import type { SolverParameter } from '../caffe/messages';

/**
 * A solver for a net that came without one: SGD with momentum at a rate that a trained net bears, and the usual weight
 * decay of Caffe's own examples. The whole test set is measured on.
 */
export const defaultSolver = (netFile: string): SolverParameter => ({
  net: netFile,
  type: 'SGD',
  base_lr: 0.001,
  lr_policy: 'fixed',
  momentum: 0.9,
  weight_decay: 0.0005,
  test_iter: [1_000_000],
  random_seed: 1,
});
