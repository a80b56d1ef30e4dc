/**
 * The layers are a promise of the build: an import that goes upwards, or sideways between services, does not pass lint as `npm run check` runs it;
 * and it knows the types of other packages, whether they are built or not.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '..', '..', '..');
const node = (args: readonly string[]) => spawnSync(process.execPath, [...args], { cwd: root, encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false' } });

/** What must not pass: what it is, the project in which it lies, the source, and the rule that refuses it. */
const FORBIDDEN: readonly (readonly [string, string, string, string])[] = [
  ['a domain library that imports an adapter', 'libs/reduction', "export { startServer } from '@lockstep/rpc';\n", '@nx/enforce-module-boundaries'],
  ['a domain library that imports gRPC', 'libs/membership', "export { Server } from '@grpc/grpc-js';\n", '@nx/enforce-module-boundaries'],
  ['a domain library that reads a file', 'libs/versions', "export { readFileSync } from 'node:fs';\n", 'no-restricted-imports'],
  ['a domain library that reads the clock', 'libs/sharding', 'export const now = (): number => Date.now();\n', 'no-restricted-properties'],
  ['a domain library that draws a random number', 'libs/reduction', 'export const draw = (): number => Math.random();\n', 'no-restricted-properties'],
  ['an adapter that imports the author layer', 'libs/examples', "export { type FnArgs } from '@lockstep/module';\n", '@nx/enforce-module-boundaries'],
  ['a service that imports a service', 'services/coordinator', "import '@lockstep/worker';\n", '@nx/enforce-module-boundaries'],
  ['a promise of another package for which nobody waits', 'services/cli', "import { type ArtifactClient } from '@lockstep/client';\nexport const forget = (client: ArtifactClient): void => { client.advanceFence('jobs/1', 2); };\n", '@typescript-eslint/no-floating-promises'],
];
const ALLOWED = ['services/coordinator', "export { startServer } from '@lockstep/rpc';\n"] as const;

const probes = [...FORBIDDEN.map(([, project, source]) => [project, source] as const), ALLOWED]
  .map(([project, source], i) => ({ file: join(root, project, 'src', `lint-probe-${i}.ts`), source }));
/** The rules that each probe breaks. */
let broken: readonly (readonly string[])[];

/** One run lints all probes as if they lay in their projects: starting takes longer than linting. */
beforeAll(() => {
  // The rule reads the workspace's graph, which Nx makes.
  const { status, stderr } = node(['node_modules/nx/dist/bin/nx.js', 'show', 'projects']);
  if (status !== 0) throw new Error(`nx could not read the workspace: ${stderr}`);
  for (const { file, source } of probes) writeFileSync(file, source);
  try {
    const lint = node(['node_modules/eslint/bin/eslint.js', '-c', '.ci/eslint.config.mjs', '-f', 'json', ...probes.map(({ file }) => file)]);
    if (!lint.stdout.startsWith('[')) throw new Error(`eslint did not run: ${lint.stderr}`);
    const results = JSON.parse(lint.stdout) as { filePath: string; messages: { ruleId: string | null; message: string }[] }[];
    broken = probes.map(({ file }) => {
      const found = results.find(({ filePath }) => filePath === file);
      if (!found) throw new Error(`eslint left ${file} out`);
      return found.messages.map((m) => m.ruleId ?? m.message);
    });
  } finally {
    for (const { file } of probes) rmSync(file, { force: true });
  }
});

test.each(FORBIDDEN.map(([what, , , rule], i) => [what, rule, i] as const))('%s does not pass lint', (_what, rule, i) => {
  expect(broken[i]).toContain(rule);
});

test('an import downwards passes', () => {
  expect(broken.at(-1)).toEqual([]);
});
