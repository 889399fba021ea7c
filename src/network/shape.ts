import { CaffeError } from '../caffe/errors';
import type { LayerParameter } from '../caffe/messages';
import { phrase, type Phrase } from '../phrase';

/** Sizes of the axes of a blob; `NaN` is a size that nobody told us. An empty shape is a scalar. */
export type Shape = readonly number[];

/** Number of values along the axes `from` to `to` (not included), as `Blob::count` of Caffe. */
export function count(shape: Shape, from = 0, to = shape.length): number {
  let product = 1;
  for (let axis = from; axis < to; axis++) product *= shape[axis];
  return product;
}

/** True for two sizes that are both known and not the same. */
export function differ(a: number, b: number): boolean {
  return a !== b && !Number.isNaN(a) && !Number.isNaN(b);
}

/** True for two shapes that cannot be the same. */
export function shapesDiffer(a: Shape, b: Shape): boolean {
  return a.length !== b.length || a.some((size, axis) => differ(size, b[axis]));
}

/** True when every size is known. */
export function isKnown(shape: Shape): boolean {
  return !shape.some(Number.isNaN);
}

/** "20×1×5×5"; "?" for an unknown size, "scalar" for no axes. */
export function shapeText(shape: Shape): string {
  return shape.length === 0
    ? 'scalar'
    : shape.map((size) => (Number.isNaN(size) ? '?' : String(size))).join('×');
}

/** Size of an axis in Caffe's old 4-D view: axes that are not there are 1 long. */
export function legacySize(shape: Shape, axis: 0 | 1 | 2 | 3): number {
  return axis < shape.length ? shape[axis] : 1;
}

/**
 * Throws the error of a layer that cannot be set up.
 * @throws CaffeError with the layer's name and line
 */
export function fail(layer: LayerParameter, message: Phrase, advice?: Phrase): never {
  throw new CaffeError(message, { layer: layer.name, line: layer.line, advice });
}

/**
 * Refuses a layer when `violation` holds. State the violation, not the rule: comparisons with an unknown size
 * (`NaN`) are false, so that what is not known is not refused.
 */
export function refuse(layer: LayerParameter, violation: boolean, message: Phrase, advice?: Phrase): void {
  if (violation) fail(layer, message, advice);
}

/** The axis that `axis` names, where negative ones count from the end, as `Blob::CanonicalAxisIndex`. */
export function canonicalAxis(layer: LayerParameter, shape: Shape, axis: number): number {
  refuse(
    layer,
    axis < -shape.length || axis >= shape.length,
    phrase`axis ${axis} is out of range for a blob of ${shape.length} axes (${shapeText(shape)})`,
  );
  return axis < 0 ? axis + shape.length : axis;
}
