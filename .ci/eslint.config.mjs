// The rules of eslint.config.mjs over the whole tree in one program: what packages share is parsed and checked once, not once a package.
import rules from '../eslint.config.mjs';

export default [
  ...rules,
  { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false, project: ['.ci/tsconfig.json'] } } },
];
