import { expect, test } from 'vitest';
import { knownTitle, zerosText } from '../../../webview/model/totalsText';

test.each([
  ['nothing is known yet', { parameters: 8, zeros: 0, known: 0, complete: false }, '…', false],
  ['a part is known', { parameters: 800, zeros: 1, known: 4, complete: false }, '25.0%', true],
  ['all is known', { parameters: 8, zeros: 4, known: 8, complete: true }, '50.0%', false],
  ['there are no parameters', { parameters: 0, zeros: 0, known: 0, complete: true }, '0%', false],
])('where %s', (_, totals, share, hasTitle) => {
  expect(zerosText({ ...totals, blobs: 1 })).toBe(share);
  const title = knownTitle({ ...totals, blobs: 1 });
  expect(title?.startsWith('Of the 4 of 800 parameters')).toBe(hasTitle || undefined);
});
