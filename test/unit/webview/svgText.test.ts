import { expect, test } from 'vitest';
import { plainColour } from '../../../webview/graph/svgText';

test.each([
  ['rgb(31, 0, 255)', { value: '#1f00ff' }],
  ['rgba(0, 0, 0, 0)', { value: '#000000', opacity: 0 }],
  ['color(srgb 0.2 0.5 1)', { value: '#3380ff' }],
  ['color(srgb 0.8 0.8 0.8 / 0.45)', { value: '#cccccc', opacity: 0.45 }],
  ['color(srgb 1.02 -1e-8 0)', { value: '#ff0000' }],
  ['color(display-p3 1 0 0)', { value: 'color(display-p3 1 0 0)' }],
  ['none', { value: 'none' }],
  ['1.2px', { value: '1.2px' }],
])('plainColour(%s)', (computed, plain) => expect(plainColour(computed)).toEqual(plain));
