import { CaffeError } from '../caffe/errors';
import type { FillerParameter } from '../caffe/messages';
import type { Random } from '../caffe/random';
import { phrase } from '../phrase';
import { count, shapeText, type Shape } from './shape';

/** Caffe draws from the same distributions with boost's generators, so a seed gives other numbers there. */
function fillGaussian(values: Float32Array, mean: number, std: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] = mean + std * random.normal();
}

function fillUniform(values: Float32Array, min: number, max: number, random: Random): void {
  for (let i = 0; i < values.length; i++) values[i] = min + (max - min) * random.unit();
}

/** The n of Xavier (Glorot and Bengio, 2010) and MSRA (He et al., 2015): inputs, outputs or their average. */
function fan({ variance_norm = 'FAN_IN' }: FillerParameter, shape: Shape): number {
  const total = count(shape);
  const fanIn = total / (shape[0] ?? 1);
  const fanOut = shape.length > 1 ? total / shape[1] : total;
  return { FAN_IN: fanIn, FAN_OUT: fanOut, AVERAGE: (fanIn + fanOut) / 2 }[variance_norm];
}

/**
 * Fills a blob of the given shape, as include/caffe/filler.hpp.
 * @throws CaffeError for a filler that Caffe does not know, or one that does not suit the shape
 */
export function fill(filler: FillerParameter, shape: Shape, values: Float32Array, random: Random): void {
  const { type = 'constant', sparse = -1 } = filler;
  if (sparse !== -1 && type !== 'gaussian')
    throw new CaffeError(phrase`The filler "${type}" does not support sparse`);
  switch (type) {
    case 'constant':
      values.fill(filler.value ?? 0);
      return;
    case 'uniform':
      fillUniform(values, filler.min ?? 0, filler.max ?? 1, random);
      return;
    case 'gaussian':
      fillGaussian(values, filler.mean ?? 0, filler.std ?? 1, random);
      if (sparse >= 0) {
        // On average `sparse` weights of each output stay.
        const probability = sparse / shape[0];
        for (let i = 0; i < values.length; i++) if (random.unit() >= probability) values[i] = 0;
      }
      return;
    case 'xavier': {
      const limit = Math.sqrt(3 / fan(filler, shape));
      fillUniform(values, -limit, limit, random);
      return;
    }
    case 'msra':
      fillGaussian(values, 0, Math.sqrt(2 / fan(filler, shape)), random);
      return;
    case 'positive_unitball': {
      fillUniform(values, 0, 1, random);
      const size = count(shape, 1);
      for (let start = 0; start < values.length; start += size) {
        const item = values.subarray(start, start + size);
        const sum = item.reduce((total, value) => total + value, 0);
        for (let i = 0; i < size; i++) item[i] /= sum;
      }
      return;
    }
    case 'bilinear': {
      if (shape.length !== 4 || shape[2] !== shape[3]) {
        throw new CaffeError(phrase`The bilinear filler needs square 4-D filters, not ${shapeText(shape)}`);
      }
      const width = shape[3];
      const half = Math.ceil(width / 2);
      const centre = (width - 1) / (2 * half);
      for (let i = 0; i < values.length; i++) {
        const x = i % width;
        const y = Math.floor(i / width) % width;
        values[i] = (1 - Math.abs(x / half - centre)) * (1 - Math.abs(y / half - centre));
      }
      return;
    }
    default:
      throw new CaffeError(phrase`Unknown filler "${type}"`, {
        advice: phrase`Caffe knows constant, uniform, gaussian, xavier, msra, positive_unitball and bilinear`,
      });
  }
}
