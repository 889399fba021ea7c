import { execFileSync, spawnSync } from 'node:child_process';

/**
 * The first Python on this machine that can import the modules: other people's readers, which judge what we write.
 * Tests that need one skip without it; `npm test -- --strict` counts that as a failure.
 */
export function findPython(...modules: string[]): string | undefined {
  return [process.env.PYTHON, 'python3', '/usr/bin/python3', 'python']
    .filter((command) => command !== undefined)
    .find((command) => spawnSync(command, ['-c', `import ${modules.join(', ')}`]).status === 0);
}

/** Runs a Python script with arguments and returns what it printed. */
export function runPython(python: string, script: string, ...args: string[]): string {
  return execFileSync(python, ['-c', script, ...args], { encoding: 'utf8' });
}
