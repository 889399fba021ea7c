/** How the values of a weight blob lie: value (o, i, s) is at `o * outputStride + i * inputStride + s`. */
export interface WeightGeometry {
  /** Output channels: filters of a convolution, neurons of an inner product. */
  outputs: number;
  outputStride: number;
  /** Input channels (of one group). */
  inputs: number;
  inputStride: number;
  /** Values of one kernel: 1 for an inner product. */
  spatial: number;
}

/**
 * The geometry of the weight (blob 0) of a layer of this type. Convolutions hold [outputs, inputs, kernel…], inner
 * products [outputs, inputs] (in old files with ones before), deconvolutions [inputs, outputs, kernel…]. HDF5 files tell
 * no types: there more than two axes are those of a convolution.
 */
export function weightGeometry(type: string, shape: readonly number[]): WeightGeometry {
  const isDeconvolution = type === 'Deconvolution';
  const isConvolution = isDeconvolution || /convolution/i.test(type) || (type === '' && shape[0] > 1);
  const kernelAxes = isConvolution ? Math.max(0, shape.length - 2) : 0;
  const leading = shape.slice(0, shape.length - kernelAxes);
  const spatial = product(shape.slice(shape.length - kernelAxes));
  const last = leading.at(-1) ?? 1;
  const first = product(leading.slice(0, -1));
  return isDeconvolution
    ? { outputs: last, outputStride: spatial, inputs: first, inputStride: last * spatial, spatial }
    : { outputs: first, outputStride: last * spatial, inputs: last, inputStride: spatial, spatial };
}

const product = (dims: readonly number[]) => dims.reduce((all, dim) => all * dim, 1);
