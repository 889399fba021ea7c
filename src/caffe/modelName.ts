const extension = /\.caffemodel(\.h5)?$/i;

/** Whether a model or a solver state is HDF5 by its name or path, as Caffe tells it. */
export const isHdf5Name = (name: string): boolean => name.endsWith('.h5');

/** Whether a file is a model by its name or path, in either format. */
export const isModelName = (name: string): boolean => extension.test(name);

/** The name or path of a model without its extension: `lenet` of `lenet.caffemodel` and of `lenet.caffemodel.h5`. */
export const withoutExtension = (name: string): string => name.replace(extension, '');

/** What the name or path of a model says, or of a file of the same name without its own extension. */
export interface ModelName {
  /** What is left without the rest: `lenet` of `lenet.pruned-2.caffemodel`. */
  stem: string;
  /** How many times the model was pruned, as its name counts: 2 of `lenet.pruned-2.caffemodel`, 0 of `lenet.caffemodel`. */
  pruned: number;
  /** With its dot; empty for another kind of file. */
  extension: string;
}

const parts = /^(.*?)(\.pruned(?:-(\d+))?)?(\.caffemodel(?:\.h5)?)?$/is;

export function modelName(name: string): ModelName {
  const [, stem, mark, number, extension = ''] = parts.exec(name)!;
  return { stem, pruned: mark === undefined ? 0 : Number(number ?? 1), extension };
}

/** Whether a model was made by pruning, by its name or path. */
export const isPruned = (name: string): boolean => modelName(name).pruned > 0;

/** How the names of the checkpoints of a model's retraining begin. */
export const retrainingPrefix = (model: string): string => `${model}.retraining`;

/** Whether a model is part of such a checkpoint, by its name or path: it goes when the retraining ends. */
export const isOfRetraining = (name: string): boolean =>
  /\.caffemodel(\.h5)?\.retraining_iter_\d+\./i.test(name);
