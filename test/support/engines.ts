import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { createEngine } from '../../src/tensor/createEngine';
import type { Engine } from '../../src/tensor/engine';
import { PortableEngine } from '../../src/tensor/portable';
import { ReferenceEngine } from '../../src/tensor/reference';
import { TensorflowEngine } from '../../src/tensor/tensorflow';

await tf.setBackend('cpu');

/** A folder with tfjs-node in its `node_modules`, where there is one (DEVELOPMENT.md, "Native TensorFlow"). */
export const tensorflowFolder = process.env.CAFFE_PRUNER_TENSORFLOW;

/**
 * Every engine: what holds for nets must hold on each of them. TensorFlow's plain JavaScript backend stands in
 * for its native one, which has the same operations by the same names.
 */
export const engines: { name: string; makeEngine: () => Engine }[] = [
  { name: 'reference', makeEngine: () => new ReferenceEngine() },
  { name: 'portable', makeEngine: () => new PortableEngine() },
  { name: 'TensorFlow', makeEngine: () => new TensorflowEngine(tf) },
  ...(tensorflowFolder === undefined
    ? []
    : [{ name: 'native', makeEngine: () => createEngine({ kind: 'native', tensorflowFolder }) }]),
];
