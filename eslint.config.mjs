import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * The dependency rule: each room of src may import only the rooms below it.
 * `outside` names packages that a room must not touch.
 */
const rooms = {
  caffe: { below: [], outside: ['vscode', '@tensorflow/*'] },
  sparsity: { below: ['caffe'], outside: ['vscode', '@tensorflow/*'] },
  tensor: { below: ['caffe'], outside: ['vscode'] },
  data: { below: ['caffe'], outside: ['vscode', '@tensorflow/*'] },
  sample: { below: ['data', 'caffe'], outside: ['vscode', '@tensorflow/*'] },
  network: { below: ['caffe', 'sparsity', 'tensor'], outside: ['vscode', '@tensorflow/*'] },
  jobs: {
    below: ['sample', 'network', 'data', 'tensor', 'sparsity', 'caffe', 'protocol'],
    outside: ['vscode'],
  },
  cli: { below: ['jobs', 'data', 'tensor', 'network', 'sparsity', 'caffe', 'protocol'], outside: ['vscode'] },
  worker: { below: ['jobs', 'tensor', 'sparsity', 'caffe', 'protocol'], outside: ['vscode'] },
  editor: { below: ['worker', 'tensor', 'sparsity', 'caffe', 'protocol'], outside: ['@tensorflow/*'] },
  language: {
    below: ['worker', 'network', 'sparsity', 'caffe', 'editor', 'protocol'],
    outside: ['@tensorflow/*'],
  },
  commands: {
    below: ['editor', 'language', 'worker', 'tensor', 'sparsity', 'caffe', 'protocol'],
    outside: ['@tensorflow/*'],
  },
};

const restrict = (room, { below, outside }) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(?!${[room, ...below].map((name) => `${name}(/|$)`).join('|')})(?:${[...Object.keys(rooms), 'protocol', 'extension', 'cli'].map((name) => `${name}(/|$)`).join('|')})`,
            message: `src/${room} may import ${below.length ? below.join(', ') : 'nothing of the other rooms'} only (see DEVELOPMENT.md).`,
          },
          ...(outside.length ? [{ group: outside, message: `src/${room} stays free of these.` }] : []),
        ],
      },
    ],
  },
});

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'coverage/**',
      'sample/**',
      'test/e2e/.workbench/**',
      'test/e2e/.run/**',
      'test/interop/.caffe/**',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // With types: a phrase that is put into a string untranslated would show as [object Object].
    files: ['src/**/*.ts', 'webview/**/*.{ts,tsx}', 'scripts/*.ts', 'bench/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-base-to-string': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['scripts/**', 'bench/**', 'test/**', 'src/cli.ts', '*.mjs'],
    rules: { 'no-console': 'off', 'no-undef': 'off' },
  },
  ...Object.entries(rooms).map(([room, rule]) => restrict(room, rule)),
  {
    files: ['webview/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              // Messages, how they travel, and the mathematics that must not be written twice.
              regex: '^(\\.\\./)+src/(?!protocol$|rpc$|wire$|csv$|phrase$|sparsity/)',
              message:
                'The page knows src/protocol.ts, src/rpc.ts, src/wire.ts, src/csv.ts, src/phrase.ts and the pure src/sparsity only.',
            },
          ],
        },
      ],
    },
  },
);
