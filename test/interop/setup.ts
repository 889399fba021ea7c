import type { TestProject } from 'vitest/node';
import { installCaffe } from './install';

declare module 'vitest' {
  interface ProvidedContext {
    /** The root of the file system that the real Caffe was unpacked into; empty where it cannot be had. */
    caffe: string;
  }
}

/** Once per run: the real Caffe. Where it cannot be had, the tests skip, and this says why. */
export default function setup(project: TestProject): void {
  try {
    project.provide('caffe', installCaffe());
  } catch (error) {
    console.warn(`The tests against the real Caffe are skipped: ${(error as Error).message}`);
    project.provide('caffe', '');
  }
}
