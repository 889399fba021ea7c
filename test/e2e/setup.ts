import type { TestProject } from 'vitest/node';
import { rmSync } from 'node:fs';
import { installWorkbench } from './workbench/install';
import { extensionsFolder } from './workbench/server';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of extensions with this one installed from its VSIX. */
    extensions: string;
  }
}

/** Once per run: the workbench, and the extension in it as a user installs it, from the VSIX named by VSIX. */
export default function setup(project: TestProject): () => void {
  installWorkbench();
  const extensions = extensionsFolder(process.env.VSIX);
  project.provide('extensions', extensions);
  return () => rmSync(extensions, { recursive: true, force: true });
}
