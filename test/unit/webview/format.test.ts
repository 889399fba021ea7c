import { afterEach, describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatFactor,
  formatShape,
  formatShare,
  formatValue,
  layersText,
} from '../../../webview/format';
import { setLanguage, t } from '../../../webview/l10n';

afterEach(() => setLanguage('en', {}));

test.each([
  [0, '0%'],
  [1, '100%'],
  [0.5, '50.0%'],
  [0.00001, '< 0.1%'],
  [0.99999, '> 99.9%'],
  [NaN, '–'],
])('a share of %d reads %s', (share, text) => expect(formatShare(share)).toBe(text));

test.each([
  [0, '0 bytes'],
  [1023, '1,023 bytes'],
  [1024, '1 KB'],
  [1_724_575, '1.64 MB'],
  [3 * 2 ** 40, '3 TB'],
])('%d bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0, '0'],
  [-0.25, '-0.25'],
  [1 / 3, '0.333333'],
  [1e-5, '1e-5'],
  [1.5e-7, '1.5e-7'],
  [123456789, '1.23457e8'],
  [NaN, 'NaN'],
  [-Infinity, '-∞'],
])('the value %d reads %s', (value, text) => expect(formatValue(value)).toBe(text));

test('counts, shapes and factors', () => {
  expect(formatCount(431080)).toBe('431,080');
  expect(formatShape([50, 20, 5, 5])).toBe('50×20×5×5');
  expect(formatShape([])).toBe('scalar');
  expect(formatFactor(8.268)).toBe('8.27×');
});

describe('translation', () => {
  test('falls back to English and fills in arguments', () => {
    expect(t('{0} of {1}', 3, 'nine')).toBe('3 of nine');
    expect(t('{0} {7}', 1)).toBe('1 {7}');
  });

  test('takes the language given', () => {
    setLanguage('zh-cn', { '{0} of {1}': '{1} 中的 {0}' });
    expect(t('{0} of {1}', 3, 9)).toBe('9 中的 3');
  });
});

test('one layer is no plural', () => {
  expect([0, 1, 2, 1234].map(layersText)).toEqual(['0 layers', '1 layer', '2 layers', '1,234 layers']);
});
