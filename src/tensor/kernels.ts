import { setFlagsFromString } from 'node:v8';
import relaxedBytes from './kernels/relaxed.wasm';
import simdBytes from './kernels/simd.wasm';

type Kernel = (...args: number[]) => number;

/** What the C sources in kernels/ export. Pointers are offsets in the memory, in bytes. */
export type Kernels = Record<
  | 'configure'
  | 'failed_address'
  | 'done_address'
  | 'quit'
  | 'gemm_workspace'
  | 'gemm'
  | 'convolution_needs'
  | 'convolution'
  | 'convolution_input_needs'
  | 'convolution_input'
  | 'convolution_weights_needs'
  | 'convolution_weights'
  | 'max_pool'
  | 'max_pool_backward'
  | 'average_pool'
  | 'average_pool_backward'
  | 'batch_norm_workspace'
  | 'batch_norm'
  | 'batch_norm_backward'
  | 'lrn'
  | 'lrn_backward'
  | 'softmax'
  | 'relu'
  | 'relu_backward'
  | 'prelu'
  | 'weighted_sum'
  | 'axpy'
  | 'squares_workspace'
  | 'sum_of_squares'
  | 'scale'
  | 'channel_sum'
  | 'channel_dot'
  | 'solver_step',
  Kernel
> & { __heap_base: WebAssembly.Global };

/** Vector instructions to use: `relaxed` has the fused multiply-add, which is faster and rounds less. */
export type Instructions = 'simd' | 'relaxed';

let relaxedRuns: boolean | undefined;

/** Whether this runtime runs the relaxed instructions. */
export function hasRelaxedSimd(): boolean {
  if (relaxedRuns === undefined) {
    relaxedRuns = WebAssembly.validate(relaxedBytes);
    if (!relaxedRuns) {
      // V8 11.3 (Node 20) has them finished, but still behind a flag, which it reads whenever it compiles.
      setFlagsFromString('--experimental-wasm-relaxed-simd');
      relaxedRuns = WebAssembly.validate(relaxedBytes);
    }
  }
  return relaxedRuns;
}

export function compileKernels(instructions: Instructions): WebAssembly.Module {
  return new WebAssembly.Module(instructions === 'relaxed' ? relaxedBytes : simdBytes);
}
