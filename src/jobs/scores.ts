import type { Net } from '../network/net';

/** Where a net says which class an item is of. */
export interface Scores {
  /** The blob with one score for each class and item: N×C. */
  blob: string;
  classes: number;
  /** Items with this label do not count. */
  ignoreLabel: number | undefined;
}

const CLASSIFYING_LOSSES = ['SoftmaxWithLoss', 'MultinomialLogisticLoss', 'InfogainLoss', 'HingeLoss'];

/**
 * Finds the scores by which a net is judged: what its last Accuracy layer reads (those before it belong to
 * auxiliary classifiers), or else its last loss; of a deploy net, its first output. Undefined for a net that does not give each item one class.
 */
export function findScores(net: Net, deploy: boolean): Scores | undefined {
  const { layers } = net;
  const judges = [
    ...layers.filter(({ type }) => type === 'Accuracy').reverse(),
    ...layers.filter(({ type }) => CLASSIFYING_LOSSES.includes(type)).reverse(),
  ];
  const candidates = judges.map((layer) => ({
    blob: layer.bottom[0],
    ignoreLabel: layer.accuracy_param?.ignore_label ?? layer.loss_param?.ignore_label,
  }));
  if (deploy) candidates.push(...net.outputs.map((blob) => ({ blob, ignoreLabel: undefined })));
  for (const candidate of candidates) {
    const [, classes = 1, ...rest] = net.blob(candidate.blob).shape;
    if (classes > 1 && rest.every((dim) => dim === 1)) return { ...candidate, classes };
  }
  return undefined;
}
