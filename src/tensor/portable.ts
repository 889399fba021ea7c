import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import type {
  Affine,
  BatchNormShape,
  ConvolutionShape,
  Engine,
  LrnShape,
  PoolingShape,
  Update,
} from './engine';
import { compileKernels, hasRelaxedSimd, type Instructions, type Kernels } from './kernels';
import { KernelMemory } from './memory';
import { startThread } from './threads';

export interface PortableOptions {
  /** Threads that compute, the caller's own among them; all cores, at most 16, when not given. */
  threads?: number;
  /** The fastest that the runtime has when not given. */
  instructions?: Instructions;
  /** Seconds without any progress after which a thread is given up; 60 when not given. */
  patience?: number;
}

const initialBytes = 4 * 2 ** 20;
const stackBytes = 65_536;
const mostThreads = 16;

/** The numbers of the solvers in kernels/solver.c. */
const solvers = { sgd: 0, nesterov: 1, adaGrad: 2, rmsProp: 3, adaDelta: 4, adam: 5 };

/** What a convolution asks for before it runs, in floats. */
type NeedsOf = (shape: number, needs: number) => number;

/**
 * The engine that runs everywhere: kernels in WebAssembly SIMD (kernels/*.c) on a pool of threads.
 *
 * An operation returns when it is done; the calling thread takes part in it. What it computes is the same to the
 * last bit for any number of threads: wherever a sum is split, the shapes alone say how.
 */
export class PortableEngine implements Engine {
  readonly name: string;
  readonly threads: number;
  readonly instructions: Instructions;
  private readonly memory = new KernelMemory(initialBytes);
  private readonly kernels: Kernels;
  private readonly workers: Worker[] = [];
  private readonly patience: number;
  /** 32 ints that carry the sizes of an operation, and what it needs. */
  private readonly sizes: Int32Array;
  private workspace = { offset: 0, floats: 0 };
  private scratch = { offset: 0, floats: 0 };
  /** Why the engine is of no use any more. */
  private failure: string | undefined;

  constructor(options: PortableOptions = {}) {
    this.instructions = options.instructions ?? (hasRelaxedSimd() ? 'relaxed' : 'simd');
    this.patience = options.patience ?? 60;
    this.threads = options.threads ?? Math.min(availableParallelism(), mostThreads);
    const vectors = this.instructions === 'relaxed' ? 'relaxed SIMD' : 'SIMD';
    this.name = `WASM ${vectors}, ${String(this.threads)} thread${this.threads === 1 ? '' : 's'}`;
    const module = compileKernels(this.instructions);
    const { memory } = this.memory;
    const stalled = () => {
      throw this.broken('a thread of the tensor engine died or does not answer');
    };
    const instance = new WebAssembly.Instance(module, { env: { memory, stalled } });
    this.kernels = instance.exports as Kernels;
    this.memory.startAt(this.kernels.__heap_base.value as number);
    this.sizes = new Int32Array(memory.buffer, this.memory.take(128), 32);
    this.provideScratch(65_536);
    for (let thread = 1; thread < this.threads; thread++) {
      this.workers.push(
        startThread(
          {
            module,
            memory,
            thread,
            stackTop: this.memory.take(stackBytes) + stackBytes,
            failed: this.kernels.failed_address(),
            done: this.kernels.done_address(),
          },
          (reason) => {
            if (this.failure === undefined) this.broken(`a thread of the tensor engine died (${reason})`);
          },
        ),
      );
    }
  }

  /** Bytes of memory that arrays and the engine's own workspace take. */
  get bytesUsed(): number {
    return this.memory.bytesUsed;
  }

  /** Bytes that the engine has got from the system. */
  get bytesReserved(): number {
    return this.memory.memory.buffer.byteLength;
  }

  allocate(count: number): Float32Array {
    this.check();
    return this.memory.floats(count);
  }

  free(array: Float32Array): void {
    if (array.length > 0) this.memory.give(this.memory.address(array));
  }

  dispose(): void {
    if (this.failure !== undefined) return;
    this.failure = 'it was disposed';
    this.kernels.quit();
  }

  gemm(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: Float32Array,
    b: Float32Array,
    beta: number,
    c: Float32Array,
  ): void {
    this.product(transposeA, transposeB, m, n, k, alpha, a, b, beta, c, null);
  }

  innerProduct(
    m: number,
    n: number,
    k: number,
    transpose: boolean,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
  ): void {
    this.product(false, !transpose, m, n, k, 1, x, w, 0, y, bias);
  }

  convolution(
    shape: ConvolutionShape,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
    factor: Float32Array | null = null,
    slope = 1,
  ): void {
    this.check();
    const workspace = this.convolutionMemory(shape, this.kernels.convolution_needs);
    this.kernels.convolution(
      this.sizes.byteOffset,
      this.at(x),
      this.at(w),
      this.atOptional(bias),
      this.at(y),
      this.atOptional(factor),
      slope,
      workspace,
    );
  }

  convolutionInput(shape: ConvolutionShape, dy: Float32Array, w: Float32Array, dx: Float32Array): void {
    this.check();
    const workspace = this.convolutionMemory(shape, this.kernels.convolution_input_needs);
    this.kernels.convolution_input(this.sizes.byteOffset, this.at(dy), this.at(w), this.at(dx), workspace);
  }

  convolutionWeights(shape: ConvolutionShape, x: Float32Array, dy: Float32Array, dw: Float32Array): void {
    this.check();
    const workspace = this.convolutionMemory(shape, this.kernels.convolution_weights_needs);
    this.kernels.convolution_weights(this.sizes.byteOffset, this.at(x), this.at(dy), this.at(dw), workspace);
  }

  maxPool(shape: PoolingShape, x: Float32Array, y: Float32Array, index: Float32Array | null): void {
    this.kernels.max_pool(this.poolingSizes(shape), this.at(x), this.at(y), this.atOptional(index));
  }

  maxPoolBackward(shape: PoolingShape, index: Float32Array, dy: Float32Array, dx: Float32Array): void {
    this.kernels.max_pool_backward(this.poolingSizes(shape), this.at(index), this.at(dy), this.at(dx));
  }

  averagePool(shape: PoolingShape, x: Float32Array, y: Float32Array): void {
    this.kernels.average_pool(this.poolingSizes(shape), this.at(x), this.at(y));
  }

  averagePoolBackward(shape: PoolingShape, dy: Float32Array, dx: Float32Array): void {
    this.kernels.average_pool_backward(this.poolingSizes(shape), this.at(dy), this.at(dx));
  }

  batchNorm(
    shape: BatchNormShape,
    x: Float32Array,
    affine: Affine | undefined,
    mean: Float32Array,
    variance: Float32Array,
    normal: Float32Array,
    y: Float32Array,
    slope = 1,
  ): void {
    const sizes = this.batchNormSizes(shape);
    const workspace = this.provideWorkspace(this.kernels.batch_norm_workspace(sizes));
    this.kernels.batch_norm(
      sizes,
      shape.eps,
      this.at(x),
      this.atOptional(affine?.factor),
      this.atOptional(affine?.bias),
      slope,
      this.at(mean),
      this.at(variance),
      this.at(normal),
      this.at(y),
      workspace,
    );
  }

  batchNormBackward(
    shape: BatchNormShape,
    normal: Float32Array,
    variance: Float32Array,
    dy: Float32Array,
    affine: Affine | undefined,
    dx: Float32Array,
  ): void {
    const sizes = this.batchNormSizes(shape);
    const workspace = this.provideWorkspace(this.kernels.batch_norm_workspace(sizes));
    this.kernels.batch_norm_backward(
      sizes,
      shape.eps,
      this.at(normal),
      this.at(variance),
      this.atOptional(affine?.factor),
      this.at(dy),
      this.atOptional(affine?.factorDiff),
      this.atOptional(affine?.biasDiff),
      this.at(dx),
      workspace,
    );
  }

  lrn(shape: LrnShape, x: Float32Array, scale: Float32Array, y: Float32Array): void {
    const sizes = this.lrnSizes(shape);
    this.kernels.lrn(sizes, shape.alpha, shape.beta, shape.k, this.at(x), this.at(scale), this.at(y));
  }

  lrnBackward(
    shape: LrnShape,
    x: Float32Array,
    y: Float32Array,
    scale: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
  ): void {
    this.kernels.lrn_backward(
      this.lrnSizes(shape),
      shape.alpha,
      shape.beta,
      shape.k,
      this.at(x),
      this.at(y),
      this.at(scale),
      this.at(dy),
      this.at(dx),
    );
  }

  relu(x: Float32Array, y: Float32Array, slope: number): void {
    this.check();
    this.kernels.relu(y.length, this.at(x), this.at(y), slope);
  }

  reluBackward(x: Float32Array, dy: Float32Array, dx: Float32Array, slope: number): void {
    this.check();
    this.kernels.relu_backward(dx.length, this.at(x), this.at(dy), this.at(dx), slope);
  }

  prelu(
    outer: number,
    size: number,
    inner: number,
    x: Float32Array,
    slope: Float32Array,
    y: Float32Array,
  ): void {
    this.check();
    this.kernels.prelu(outer, size, inner, this.at(x), this.at(slope), this.at(y));
  }

  softmax(outer: number, classes: number, inner: number, x: Float32Array, y: Float32Array): void {
    this.check();
    this.kernels.softmax(outer, classes, inner, this.at(x), this.at(y));
  }

  sum(inputs: Float32Array[], factors: number[], y: Float32Array, slope = 1): void {
    this.check();
    const workspace = this.provideWorkspace(2 * inputs.length);
    const { buffer } = this.memory.memory;
    new Uint32Array(buffer, workspace, inputs.length).set(inputs.map((input) => this.at(input)));
    const factorsAt = workspace + 4 * inputs.length;
    new Float32Array(buffer, factorsAt, inputs.length).set(factors);
    this.kernels.weighted_sum(inputs.length, y.length, workspace, factorsAt, this.at(y), slope);
  }

  scale(
    outer: number,
    size: number,
    inner: number,
    x: Float32Array,
    factor: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
  ): void {
    this.check();
    this.kernels.scale(outer, size, inner, this.at(x), this.at(factor), this.atOptional(bias), this.at(y));
  }

  channelSum(outer: number, size: number, inner: number, x: Float32Array, sum: Float32Array): void {
    this.check();
    this.kernels.channel_sum(outer, size, inner, this.at(x), this.at(sum));
  }

  channelDot(
    outer: number,
    size: number,
    inner: number,
    a: Float32Array,
    b: Float32Array,
    sum: Float32Array,
  ): void {
    this.check();
    this.kernels.channel_dot(outer, size, inner, this.at(a), this.at(b), this.at(sum));
  }

  axpy(alpha: number, x: Float32Array, y: Float32Array): void {
    this.check();
    this.kernels.axpy(y.length, alpha, this.at(x), this.at(y));
  }

  sumOfSquares(x: Float32Array): number {
    this.check();
    const workspace = this.provideWorkspace(this.kernels.squares_workspace(x.length));
    return this.kernels.sum_of_squares(x.length, this.at(x), workspace);
  }

  sgd(update: Update, momentum: number): void {
    this.step(solvers.sgd, update, momentum);
  }

  nesterov(update: Update, momentum: number): void {
    this.step(solvers.nesterov, update, momentum);
  }

  adaGrad(update: Update, delta: number): void {
    this.step(solvers.adaGrad, update, delta);
  }

  rmsProp(update: Update, decay: number, delta: number): void {
    this.step(solvers.rmsProp, update, decay, delta);
  }

  adaDelta(update: Update, momentum: number, delta: number): void {
    this.step(solvers.adaDelta, update, momentum, delta);
  }

  adam(update: Update, momentum: number, momentum2: number, delta: number): void {
    this.step(solvers.adam, update, momentum, momentum2, delta);
  }

  private step(solver: number, update: Update, ...constants: number[]): void {
    this.check();
    const { data, diff, history, history2, mask, rate } = update;
    this.kernels.solver_step(
      solver,
      data.length,
      this.at(data),
      this.at(diff),
      this.at(history),
      this.atOptional(history2),
      this.atOptional(mask),
      rate,
      ...constants,
    );
  }

  private product(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: Float32Array,
    b: Float32Array,
    beta: number,
    c: Float32Array,
    bias: Float32Array | null,
  ): void {
    this.check();
    const workspace = this.provideWorkspace(this.kernels.gemm_workspace(m, k));
    this.kernels.gemm(
      Number(transposeA),
      Number(transposeB),
      m,
      n,
      k,
      alpha,
      this.at(a),
      this.at(b),
      beta,
      this.at(c),
      this.atOptional(bias),
      workspace,
    );
  }

  private poolingSizes(shape: PoolingShape): number {
    this.check();
    const { planes, height, width, outHeight, outWidth } = shape;
    const { kernelHeight, kernelWidth, strideHeight, strideWidth, padHeight, padWidth } = shape;
    return this.put([
      planes,
      height,
      width,
      outHeight,
      outWidth,
      kernelHeight,
      kernelWidth,
      strideHeight,
      strideWidth,
      padHeight,
      padWidth,
    ]);
  }

  private batchNormSizes({ num, channels, plane }: BatchNormShape): number {
    this.check();
    return this.put([num, channels, plane]);
  }

  private lrnSizes({ num, channels, plane, size }: LrnShape): number {
    this.check();
    return this.put([num, channels, plane, size]);
  }

  /** Hands the sizes of a convolution over and provides the memory it needs; returns the workspace. */
  private convolutionMemory(shape: ConvolutionShape, needsOf: NeedsOf): number {
    const { num, channels, height, width, outputs, outHeight, outWidth } = shape;
    const { kernelHeight, kernelWidth, strideHeight, strideWidth } = shape;
    const { padHeight, padWidth, dilationHeight, dilationWidth, group } = shape;
    const sizes = this.put([
      num,
      channels,
      height,
      width,
      outputs,
      outHeight,
      outWidth,
      kernelHeight,
      kernelWidth,
      strideHeight,
      strideWidth,
      padHeight,
      padWidth,
      dilationHeight,
      dilationWidth,
      group,
    ]);
    needsOf(sizes, sizes + 4 * 16);
    this.provideScratch(this.sizes[17]);
    return this.provideWorkspace(this.sizes[16]);
  }

  private put(sizes: number[]): number {
    this.sizes.set(sizes);
    return this.sizes.byteOffset;
  }

  /** Memory for one operation, kept for the next. */
  private provideWorkspace(floats: number): number {
    if (floats > this.workspace.floats) {
      if (this.workspace.floats > 0) this.memory.give(this.workspace.offset);
      this.workspace = { offset: this.memory.take(4 * floats), floats };
    }
    return this.workspace.offset;
  }

  /** Memory of each thread's own. */
  private provideScratch(floats: number): void {
    if (floats <= this.scratch.floats) return;
    if (this.scratch.floats > 0) this.memory.give(this.scratch.offset);
    // Whole cache lines, and a page apart: threads do not write to each other's lines.
    const bytes = Math.ceil((4 * floats) / 4096 + 1) * 4096;
    this.scratch = { offset: this.memory.take(bytes * this.threads), floats };
    this.kernels.configure(this.threads, this.patience, this.scratch.offset, bytes);
  }

  private at(array: Float32Array): number {
    return this.memory.address(array);
  }

  private atOptional(array: Float32Array | null | undefined): number {
    return array ? this.memory.address(array) : 0;
  }

  private check(): void {
    if (this.failure !== undefined)
      throw new Error(`The tensor engine cannot go on: ${this.failure}. Start the job again.`);
  }

  /** Notes that the engine is of no use any more, ends its threads, and makes the error that says so. */
  private broken(reason: string): Error {
    this.failure = reason;
    for (const worker of this.workers) void worker.terminate();
    return new Error(`The tensor engine cannot go on: ${reason}. Start the job again.`);
  }
}
