import { CaffeError } from '../caffe/errors';
import type { Phase, TransformationParameter } from '../caffe/messages';
import type { Random } from '../caffe/random';
import { phrase, type Phrase } from '../phrase';

/** An image or other array of C×H×W values before it is transformed. */
export interface Pixels {
  channels: number;
  height: number;
  width: number;
  data: Uint8Array | Float32Array;
}

/** A mean image of C×H×W values. */
export interface Mean {
  channels: number;
  height: number;
  width: number;
  data: Float32Array;
}

/**
 * What `transform_param` says, as Caffe's DataTransformer does it (data_transformer.cpp) in single precision:
 * out = (in - mean) * scale over a crop, mirrored or not. Crops are random in TRAIN and central in TEST; mirroring is
 * random in both.
 */
export class Transformer {
  private readonly scale: number;
  private readonly cropSize: number;
  private readonly meanValues: Float32Array;

  /**
   * @param mean the content of `mean_file`
   * @param random is drawn from as Caffe does: first mirror, then the crop's row and column
   * @param layer the layer's name, for errors
   */
  constructor(
    private readonly param: TransformationParameter,
    private readonly phase: Phase,
    private readonly mean: Mean | undefined,
    private readonly random: Random,
    private readonly layer: string,
  ) {
    this.scale = Math.fround(param.scale ?? 1);
    this.cropSize = param.crop_size ?? 0;
    this.meanValues = Float32Array.from(param.mean_value ?? []);
    if (param.mean_file !== undefined && this.meanValues.length > 0) {
      throw this.error(phrase`mean_file and mean_value cannot both be given`);
    }
    if (param.force_color === true && param.force_gray === true) {
      throw this.error(phrase`force_color and force_gray cannot both be set`);
    }
  }

  /** The shape C×H×W of what {@link apply} writes for such an image. */
  shape({
    channels,
    height,
    width,
  }: Pick<Pixels, 'channels' | 'height' | 'width'>): [number, number, number] {
    return this.cropSize > 0 ? [channels, this.cropSize, this.cropSize] : [channels, height, width];
  }

  /** Draws what {@link apply} would draw for so many images. */
  skip(images: number): void {
    const draws =
      (this.param.mirror === true ? 1 : 0) + (this.cropSize > 0 && this.phase === 'TRAIN' ? 2 : 0);
    for (let i = 0; i < images * draws; i++) this.random.next();
  }

  /**
   * Writes the transformed image to `target` from `offset` on.
   *
   * @param name the item, for errors
   */
  apply(image: Pixels, target: Float32Array, offset: number, name: string): void {
    const { channels, data } = image;
    const { scale } = this;
    this.check(image, name);
    const [, height, width] = this.shape(image);
    const mirrored = this.param.mirror === true && this.random.below(2) === 1;
    let top = 0;
    let left = 0;
    if (this.cropSize > 0) {
      const spareHeight = image.height - height;
      const spareWidth = image.width - width;
      const train = this.phase === 'TRAIN';
      top = train ? this.random.below(spareHeight + 1) : spareHeight >> 1;
      left = train ? this.random.below(spareWidth + 1) : spareWidth >> 1;
    }

    const mean = this.mean?.data;
    for (let c = 0; c < channels; c++) {
      const meanValue = this.meanValues[Math.min(c, this.meanValues.length - 1)] ?? 0;
      for (let y = 0; y < height; y++) {
        const from = (c * image.height + top + y) * image.width + left;
        const row = offset + (c * height + y) * width;
        let to = mirrored ? row + width - 1 : row;
        const step = mirrored ? -1 : 1;
        if (mean !== undefined) {
          for (let x = 0; x < width; x++, to += step) {
            target[to] = Math.fround(data[from + x] - mean[from + x]) * scale;
          }
        } else {
          for (let x = 0; x < width; x++, to += step) {
            target[to] = Math.fround(data[from + x] - meanValue) * scale;
          }
        }
      }
    }
  }

  private check({ channels, height, width }: Pixels, name: string): void {
    const { cropSize, mean, meanValues } = this;
    const size = `${channels}x${height}x${width}`;
    if (cropSize > height || cropSize > width) {
      throw this.error(phrase`crop_size ${cropSize} is larger than the image (${size})`, name);
    }
    if (
      mean !== undefined &&
      (mean.channels !== channels || mean.height !== height || mean.width !== width)
    ) {
      const has = `${mean.channels}x${mean.height}x${mean.width}`;
      throw this.error(phrase`the mean image is ${has}, but the image is ${size}`, name);
    }
    if (meanValues.length > 1 && meanValues.length !== channels) {
      throw this.error(phrase`there are ${meanValues.length} mean values for ${channels} channels`, name);
    }
  }

  private error(what: Phrase, file?: string): CaffeError {
    return new CaffeError(what, { layer: this.layer, file, advice: phrase`Correct transform_param` });
  }
}
