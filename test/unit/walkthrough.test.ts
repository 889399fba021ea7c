import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Manifest {
  contributes: {
    commands: { command: string }[];
    walkthroughs: {
      steps: { id: string; description: string; media: { svg: string }; completionEvents?: string[] }[];
    }[];
  };
}

const { contributes } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const texts = JSON.parse(readFileSync('package.nls.json', 'utf8')) as Record<string, string>;
const commands = contributes.commands.map(({ command }) => command);
const { steps } = contributes.walkthroughs[0];

test('the steps go the way of a model, with a stop at each of the page’s views that changes or measures it', () => {
  expect(steps.map(({ id }) => id)).toEqual([
    'sample',
    'open',
    'prune',
    'evaluate',
    'retrain',
    'hints',
    'deploy',
  ]);
});

test.each(steps)('step $id has its picture, and names commands that there are', (step) => {
  expect(existsSync(step.media.svg)).toBe(true);
  const description = texts[step.description.replaceAll('%', '')];
  const named = [
    ...(step.completionEvents ?? []).map((event) => event.replace('onCommand:', '')),
    ...[...description.matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command),
  ];
  expect(named.filter((command) => !commands.includes(command))).toEqual([]);
});
