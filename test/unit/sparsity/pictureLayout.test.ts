import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pictureLayout, pictureSize, unravel, valueAt } from '../../../src/sparsity/pictureLayout';

describe('the picture of a blob', () => {
  test.each([
    ['Convolution', 0, [50, 20, 5, 5], { rows: 250, columns: 100 }],
    ['Convolution', 0, [20, 1, 5, 5], { rows: 20, columns: 25 }],
    ['Convolution', 0, [96, 3, 11, 11], { rows: 110, columns: 110 }],
    ['Deconvolution', 0, [21, 4, 16, 16], { rows: 336, columns: 64 }],
    ['InnerProduct', 0, [500, 800], { rows: 500, columns: 800 }],
    ['InnerProduct', 0, [1, 1, 500, 800], { rows: 500, columns: 800 }],
    ['InnerProduct', 1, [500], { rows: 22, columns: 23 }],
    ['', 0, [32, 3, 5, 5], { rows: 30, columns: 30 }],
    ['Convolution', 1, [20], { rows: 1, columns: 20 }],
    ['Scale', 0, [], { rows: 1, columns: 1 }],
    ['InnerProduct', 0, [0, 7], { rows: 0, columns: 0 }],
  ])('of a %s, blob %d, %j', (type, blob, shape, size) => {
    expect(pictureSize(pictureLayout(type, blob, shape))).toEqual(size);
  });

  test('colours filters over three channels', () => {
    expect(pictureLayout('Convolution', 0, [96, 3, 11, 11])).toMatchObject({ planes: 3, tiles: 96 });
    expect(pictureLayout('Convolution', 0, [96, 4, 11, 11])).toMatchObject({ planes: 1, tiles: 384 });
  });

  test('shows each value once', () => {
    const dims = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 });
    const types = fc.constantFrom('Convolution', 'Deconvolution', 'InnerProduct', 'Embed');
    fc.assert(
      fc.property(types, dims, (type, shape) => {
        const layout = pictureLayout(type, 0, shape);
        const { rows, columns } = pictureSize(layout);
        const seen: number[] = [];
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            const index = valueAt(layout, row, column);
            const plane = layout.tileRows * layout.tileColumns;
            if (index >= 0) for (let p = 0; p < layout.planes; p++) seen.push(index + p * plane);
          }
        }
        const count = shape.reduce((product, dim) => product * dim, 1);
        expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }),
    );
  });
});

test('a flat index has a position along each axis', () => {
  expect(unravel(0, [2, 3, 4])).toEqual([0, 0, 0]);
  expect(unravel(23, [2, 3, 4])).toEqual([1, 2, 3]);
});
