import { describe, expect, test } from 'vitest';
import { listed, phrase, textOf } from '../../src/phrase';

const chinese = { '{0}, {1}': '{0}、{1}', 'layer "{0}"': '层“{0}”', '{1} before {0}': '先是 {1}，后是 {0}' };

describe('a phrase', () => {
  test('is English without translations', () => {
    expect(textOf(phrase`layer "${'ip1'}" has ${2} blobs`)).toBe('layer "ip1" has 2 blobs');
    expect(textOf(phrase`nothing to fill in, not even {0}`)).toBe('nothing to fill in, not even {0}');
  });

  test('is translated with what stands in it', () => {
    expect(textOf(listed([phrase`layer "${'a'}"`, 'b', 3]), chinese)).toBe('层“a”、b、3');
    expect(textOf(listed([phrase`layer "${'a'}"`, 'b', 3]))).toBe('layer "a", b, 3');
  });

  test('may have its parts in another order', () => {
    expect(textOf({ template: '{1} before {0}', args: ['a', 'b'] }, chinese)).toBe('先是 b，后是 a');
  });

  test('stays English where there is no translation, with its parts translated', () => {
    expect(textOf(phrase`lost: ${phrase`layer "${'{1}'}"`}`, chinese)).toBe('lost: 层“{1}”');
  });

  test('takes names for what they are', () => {
    expect(textOf(phrase`layer "${'$& {0} \\'}"`)).toBe('layer "$& {0} \\"');
  });
});
