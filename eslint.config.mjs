// Layers are folders and Nx tags; imports go downwards only (see README.md, "How the code is laid out").
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const IO_MODULES = ['fs', 'fs/promises', 'net', 'http', 'http2', 'https', 'child_process', 'worker_threads', 'os', 'dgram', 'tls'];
const GRPC_AND_STORAGE = ['@grpc/*', '@photostructure/*', 'kysely'];
const DOMAIN = ['layer:domain'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/gen/**', '**/node_modules/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@nx': nx },
    rules: {
      'eqeqeq': ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', { max: 400 }],
      'no-console': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@nx/enforce-module-boundaries': ['error', {
        enforceBuildableLibDependency: false,
        allow: [],
        depConstraints: [
          { sourceTag: 'layer:contract', onlyDependOnLibsWithTags: ['layer:contract'], bannedExternalImports: [...GRPC_AND_STORAGE, '@tensorflow/*'] },
          { sourceTag: 'layer:domain', onlyDependOnLibsWithTags: DOMAIN, bannedExternalImports: [...GRPC_AND_STORAGE, '@tensorflow/*', '@bufbuild/*'] },
          { sourceTag: 'layer:adapter', onlyDependOnLibsWithTags: ['layer:contract', ...DOMAIN, 'layer:adapter'] },
          { sourceTag: 'layer:simulation', onlyDependOnLibsWithTags: [...DOMAIN, 'layer:simulation'], bannedExternalImports: [...GRPC_AND_STORAGE, '@tensorflow/*', '@bufbuild/*'] },
          { sourceTag: 'layer:author', onlyDependOnLibsWithTags: [...DOMAIN, 'layer:adapter', 'layer:author'], bannedExternalImports: GRPC_AND_STORAGE },
          { sourceTag: 'layer:client', onlyDependOnLibsWithTags: ['layer:contract', ...DOMAIN, 'layer:adapter', 'layer:client'] },
          { sourceTag: 'layer:service', onlyDependOnLibsWithTags: ['layer:contract', ...DOMAIN, 'layer:adapter', 'layer:author', 'layer:client'] },
          { sourceTag: 'layer:integration', onlyDependOnLibsWithTags: ['layer:contract', ...DOMAIN, 'layer:adapter', 'layer:author', 'layer:client', 'layer:integration'] },
        ],
      }],
    },
  },
  { // A pure library does no I/O and reads neither clock nor random: they are arguments.
    files: ['libs/{reduction,sharding,membership,search,versions,simulation}/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { paths: IO_MODULES.flatMap((m) => [m, `node:${m}`]).map((name) => ({ name, message: 'A domain library does no I/O; take it as an argument.' })) }],
      'no-restricted-globals': ['error', ...['setTimeout', 'setInterval', 'performance', 'process', 'fetch'].map((name) => ({ name, message: 'A domain library reads no clock and no environment; take it as an argument.' }))],
      'no-restricted-properties': ['error',
        { object: 'Math', property: 'random', message: 'Randomness is an argument.' },
        { object: 'Date', property: 'now', message: 'The clock is an argument.' }],
    },
  },
  { // Command lines and their children print; services log through a logger.
    files: ['services/cli/src/**/*.ts', 'integration/src/**/*.ts', '**/*.spec.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.spec.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  { files: ['**/*.{mjs,cjs,js}'], ...tseslint.configs.disableTypeChecked, languageOptions: { globals: { process: 'readonly', console: 'readonly', require: 'readonly', module: 'writable', __dirname: 'readonly', Buffer: 'readonly', URL: 'readonly', setTimeout: 'readonly', performance: 'readonly' } } },
);
