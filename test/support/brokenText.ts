import fc from 'fast-check';

const pieces = [
  'layer', 'layers', 'name', 'type', 'bottom', 'top', 'convolution_param', 'num_output', 'include', 'phase', 'TRAIN',
  '"conv1"', "'data'", '"open', '"esc\\"aped\\n"', '\\', '{', '}', '<', '>', '[', ']', ':', ',', ';', '-', '- 1', '1', '0x1F',
  '017', '1e99', '1.5f', '.5', '1.2.3', 'inf', 'nan', '99999999999999999999', '# comment', '# prune: keep=8%',
  '# prune: default skip', '\n', '\r\n', ' ', '\t', '\0', '\ufeff', 'é', '😀', '[a.b/c]', '/', '.', '',
]; // prettier-ignore

/** Text of pieces of prototxt in any order. */
export const brokenText = fc
  .array(fc.constantFrom(...pieces), { maxLength: 60 })
  .map((parts) => parts.join(''));

/** A text with some random parts cut out, doubled or replaced by pieces of prototxt. */
export const brokenEditOf = (text: string) =>
  fc
    .array(
      fc.record({
        at: fc.nat(text.length),
        length: fc.oneof(fc.nat(3), fc.nat(80)),
        piece: fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 })),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((edits) =>
      edits.reduce((now, { at, length, piece }) => now.slice(0, at) + piece + now.slice(at + length), text),
    );
