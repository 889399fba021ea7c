/** The part of the WebAssembly interface that this room uses: TypeScript has it only together with the whole DOM. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: BufferSource);
    readonly [Symbol.toStringTag]: string;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared: boolean });
    readonly buffer: ArrayBufferLike;
    grow(pages: number): number;
  }
  interface Global {
    value: unknown;
  }
  type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
  function validate(bytes: BufferSource): boolean;
}
