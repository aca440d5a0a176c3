import eslint from '@eslint/js';
import prettier from 'eslint-config-prettier';
import jest from 'eslint-plugin-jest';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const noImports = (...patterns) => ({
  '@typescript-eslint/no-restricted-imports': ['error', { patterns }],
});
const noIo = {
  group: ['node:*', 'pg', 'koa', 'zod', 'kafkajs', 'nodemailer', 'pino', 'mjml'],
  message: 'Workflow and domain code does no I/O; use an activity.',
};
const typesOnly = {
  group: ['**/activities/**'],
  allowTypeImports: true,
  message: 'Import activity types only.',
};

export default tseslint.config(
  { ignores: ['node_modules/**', '.local/**', 'dist/**', '**/*.js', '**/*.mjs', '**/*.cjs'] },
  eslint.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only main.ts reads the environment.' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: ['**/main.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['workflows/**/*.ts'],
    ignores: ['**/*.test.ts', 'workflows/testing/**'],
    rules: {
      ...noImports(noIo, typesOnly, { group: ['**/services/**', '**/infra/**'] }),
      'no-restricted-globals': ['error', 'process', 'Buffer', 'fetch'],
    },
  },
  {
    files: ['domain/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      ...noImports(noIo, {
        group: ['@temporalio/*', '../*'],
        message: 'The domain imports only the domain.',
      }),
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Take the instant as an argument.',
        },
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'Take the instant as an argument.',
        },
      ],
    },
  },
  {
    files: ['activities/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: noImports(
      { group: ['**/services/**', '**/infra/**'], message: 'Activities see ports only.' },
      noIo,
    ),
  },
  {
    files: ['infra/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: noImports({ group: ['**/services/**'], message: 'Infra does not know the services.' }),
  },
  { files: ['services/backoffice/web/**'], ...reactHooks.configs.flat.recommended },
  {
    files: ['services/backoffice/web/**'],
    rules: {
      // Handlers of events are written so everywhere.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  { files: ['**/*.test.ts'], ...jest.configs['flat/recommended'] },
  {
    files: ['**/*.test.ts'],
    rules: {
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect*', 'fc.assert'] }],
      // In a test a missing value should fail right there, and a property holds under a condition.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'jest/no-conditional-expect': 'off',
    },
  },
  {
    files: ['test/browser/**/*.test.ts'],
    // What a person waits to see is an assertion: it fails when it does not come.
    rules: {
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect*', '**.waitFor', 'look'] }],
    },
  },
  prettier,
);
