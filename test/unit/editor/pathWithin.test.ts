import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pathWithin } from '../../../src/editor/pathWithin';

const folder = join('/', 'a', 'b');

test.each([
  [['a', 'b', 'x'], join('x')],
  [['a', 'b', 'c', 'x'], join('c', 'x')],
  [['a', 'b', '..x'], '..x'],
  // A folder whose name begins as that of the other one is another folder.
  [['a', 'bc', 'x'], undefined],
  [['a', 'x'], undefined],
  [['a', 'b'], undefined],
  [['a'], undefined],
])('%j is %j', (parts, within) => {
  expect(pathWithin(folder, join('/', ...parts))).toBe(within);
});
