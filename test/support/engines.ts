import type { Engine } from '../../src/tensor/engine';
import { PortableEngine } from '../../src/tensor/portable';
import { ReferenceEngine } from '../../src/tensor/reference';

/** Every engine that is present: what holds for nets must hold on each of them. */
export const engines: { name: string; makeEngine: () => Engine }[] = [
  { name: 'reference', makeEngine: () => new ReferenceEngine() },
  { name: 'portable', makeEngine: () => new PortableEngine() },
];
