import type { Engine } from '../tensor/engine';
import type { Blob } from './layer';
import { count, type Shape } from './shape';

const nothing = new Float32Array(0);

/** A blob in an engine's memory. */
export class NetBlob implements Blob {
  shape: Shape;
  data: Float32Array = nothing;
  diff: Float32Array = nothing;
  private dataMemory: Float32Array = nothing;
  private diffMemory: Float32Array = nothing;

  /** @param gradients whether there is memory for gradients as well */
  constructor(
    private readonly engine: Engine,
    private readonly gradients: boolean,
    shape: Shape,
  ) {
    this.shape = shape;
    this.provide();
  }

  /** Takes on a shape; grows the memory where needed, keeps it otherwise. An equal shape changes nothing. */
  reshape(shape: Shape): void {
    if (shape.length === this.shape.length && shape.every((size, axis) => size === this.shape[axis])) return;
    this.shape = shape;
    this.provide();
  }

  /** Becomes a view of another blob: of its values, and with `withDiff` of its gradient. */
  view(other: Blob, withDiff: boolean): void {
    this.engine.free(this.dataMemory);
    this.dataMemory = nothing;
    this.data = other.data;
    if (!withDiff) return;
    this.engine.free(this.diffMemory);
    this.diffMemory = nothing;
    this.diff = other.diff;
  }

  dispose(): void {
    this.engine.free(this.dataMemory);
    this.engine.free(this.diffMemory);
    this.dataMemory = this.diffMemory = this.data = this.diff = nothing;
  }

  private provide(): void {
    const size = count(this.shape);
    this.dataMemory = this.grown(this.dataMemory, size);
    this.data = this.dataMemory.subarray(0, size);
    if (!this.gradients) return;
    this.diffMemory = this.grown(this.diffMemory, size);
    this.diff = this.diffMemory.subarray(0, size).fill(0);
  }

  private grown(memory: Float32Array, size: number): Float32Array {
    if (memory.length >= size) return memory;
    this.engine.free(memory);
    return this.engine.allocate(size);
  }
}
