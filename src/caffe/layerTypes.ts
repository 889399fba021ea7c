/** `V1LayerParameter.LayerType` of caffe.proto: number, its name there, and the type name of today. */
const v1LayerTypes: readonly (readonly [number, string, string])[] = [
  [0, 'NONE', ''],
  [1, 'ACCURACY', 'Accuracy'],
  [2, 'BNLL', 'BNLL'],
  [3, 'CONCAT', 'Concat'],
  [4, 'CONVOLUTION', 'Convolution'],
  [5, 'DATA', 'Data'],
  [6, 'DROPOUT', 'Dropout'],
  [7, 'EUCLIDEAN_LOSS', 'EuclideanLoss'],
  [8, 'FLATTEN', 'Flatten'],
  [9, 'HDF5_DATA', 'HDF5Data'],
  [10, 'HDF5_OUTPUT', 'HDF5Output'],
  [11, 'IM2COL', 'Im2col'],
  [12, 'IMAGE_DATA', 'ImageData'],
  [13, 'INFOGAIN_LOSS', 'InfogainLoss'],
  [14, 'INNER_PRODUCT', 'InnerProduct'],
  [15, 'LRN', 'LRN'],
  [16, 'MULTINOMIAL_LOGISTIC_LOSS', 'MultinomialLogisticLoss'],
  [17, 'POOLING', 'Pooling'],
  [18, 'RELU', 'ReLU'],
  [19, 'SIGMOID', 'Sigmoid'],
  [20, 'SOFTMAX', 'Softmax'],
  [21, 'SOFTMAX_LOSS', 'SoftmaxWithLoss'],
  [22, 'SPLIT', 'Split'],
  [23, 'TANH', 'TanH'],
  [24, 'WINDOW_DATA', 'WindowData'],
  [25, 'ELTWISE', 'Eltwise'],
  [26, 'POWER', 'Power'],
  [27, 'SIGMOID_CROSS_ENTROPY_LOSS', 'SigmoidCrossEntropyLoss'],
  [28, 'HINGE_LOSS', 'HingeLoss'],
  [29, 'MEMORY_DATA', 'MemoryData'],
  [30, 'ARGMAX', 'ArgMax'],
  [31, 'THRESHOLD', 'Threshold'],
  [32, 'DUMMY_DATA', 'DummyData'],
  [33, 'SLICE', 'Slice'],
  [34, 'MVN', 'MVN'],
  [35, 'ABSVAL', 'AbsVal'],
  [36, 'SILENCE', 'Silence'],
  [37, 'CONTRASTIVE_LOSS', 'ContrastiveLoss'],
  [38, 'EXP', 'Exp'],
  [39, 'DECONVOLUTION', 'Deconvolution'],
];

/** The type strings of `V0LayerParameter` (Caffe's util/upgrade_proto.cpp) and the type names of today. */
const v0LayerTypes: Readonly<Record<string, string>> = {
  accuracy: 'Accuracy',
  bnll: 'BNLL',
  concat: 'Concat',
  conv: 'Convolution',
  data: 'Data',
  dropout: 'Dropout',
  euclidean_loss: 'EuclideanLoss',
  flatten: 'Flatten',
  hdf5_data: 'HDF5Data',
  hdf5_output: 'HDF5Output',
  im2col: 'Im2col',
  images: 'ImageData',
  infogain_loss: 'InfogainLoss',
  innerproduct: 'InnerProduct',
  lrn: 'LRN',
  multinomial_logistic_loss: 'MultinomialLogisticLoss',
  pool: 'Pooling',
  relu: 'ReLU',
  sigmoid: 'Sigmoid',
  softmax: 'Softmax',
  softmax_loss: 'SoftmaxWithLoss',
  split: 'Split',
  tanh: 'TanH',
  window_data: 'WindowData',
};

const byNumber = new Map(v1LayerTypes.map(([number, original, type]) => [number, { original, type }]));

const byName = new Map(v1LayerTypes.map(([, original, type]) => [original, type]));

/** The layer type of a number in a V1 model; a fork's number that Caffe does not know stays a number. */
export function v1LayerType(number: number): { original: string; type: string } {
  return byNumber.get(number) ?? { original: `${number}`, type: `${number}` };
}

/** Today's name of a V1 type name such as `INNER_PRODUCT`, or undefined. */
export const v1LayerTypeByName = (original: string): string | undefined => byName.get(original);

/** Today's name of a V0 type string such as `innerproduct`; padding layers and unknown ones keep theirs. */
export const v0LayerType = (original: string): string => v0LayerTypes[original] ?? original;
