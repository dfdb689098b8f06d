// What the compiler cannot say about the house; import directions are dependency-cruiser's.
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '**/*.mjs', '**/*.cjs', '**/*.js'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: false }],
      'max-lines-per-function': ['error', { max: 60 }],
      'max-depth': ['error', 3],
      complexity: ['error', 12],
      'max-params': ['error', 4],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'exit',
          message: 'set process.exitCode, or use the one exit in main.ts',
        },
        ...['allocUnsafe', 'allocUnsafeSlow'].map((property) => ({
          object: 'Buffer',
          property,
          message: 'memory on the wire (see CONTRIBUTING)',
        })),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'named exports only' },
        { selector: 'TSNonNullAssertion', message: 'prove it instead' },
      ],
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true }],
      'max-lines-per-function': 'off',
      'no-restricted-properties': 'off',
    },
  },
  {
    // The catalogue and the schemas are tables: long because complete.
    files: ['src/errors.ts', 'src/ipc/messages.ts'],
    rules: { 'max-lines': 'off' },
  },
  {
    files: [
      'src/main.ts',
      'src/fcgi-protocol/record-encoder.ts',
      'src/fcgi-protocol/record-decoder.ts',
      'src/router/answer-spill.ts',
      'src/router/write-budget.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
);
