/**
 * How files that are not code get into the code, for every bundle.
 * @type {Record<string, import('esbuild').Loader>}
 */
export const loader = {
  '.wasm': 'binary',
  '.caffemodel': 'binary',
  '.proto': 'text',
  '.prototxt': 'text',
  '.ttf': 'dataurl',
};
