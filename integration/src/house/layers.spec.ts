/** The layers are a promise of the build: an import that goes upwards, or sideways between services, does not pass lint. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(__dirname, '..', '..', '..');
const node = (args: readonly string[]) => spawnSync(process.execPath, [...args], { cwd: root, encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false' } });

/** Lints a source as if it lay in a project, and gives the rules that it breaks. */
function brokenRules(project: string, source: string): readonly string[] {
  const file = join(root, project, 'src', 'lint-probe.ts');
  writeFileSync(file, source);
  try {
    const { stdout, stderr } = node(['node_modules/eslint/bin/eslint.js', '-f', 'json', file]);
    if (!stdout.startsWith('[')) throw new Error(`eslint did not run: ${stderr}`);
    const [result] = JSON.parse(stdout) as { messages: { ruleId: string | null; message: string }[] }[];
    return (result?.messages ?? []).map((m) => m.ruleId ?? m.message);
  } finally {
    rmSync(file);
  }
}

beforeAll(() => {
  // The rule reads the workspace's graph, which Nx makes.
  const { status, stderr } = node(['node_modules/nx/dist/bin/nx.js', 'show', 'projects']);
  if (status !== 0) throw new Error(`nx could not read the workspace: ${stderr}`);
});

test.each<[string, string, string, string]>([
  ['a domain library that imports an adapter', 'libs/reduction', "export { startServer } from '@lockstep/rpc';\n", '@nx/enforce-module-boundaries'],
  ['a domain library that imports gRPC', 'libs/membership', "export { Server } from '@grpc/grpc-js';\n", '@nx/enforce-module-boundaries'],
  ['a domain library that reads a file', 'libs/versions', "export { readFileSync } from 'node:fs';\n", 'no-restricted-imports'],
  ['a domain library that reads the clock', 'libs/sharding', 'export const now = (): number => Date.now();\n', 'no-restricted-properties'],
  ['a domain library that draws a random number', 'libs/reduction', 'export const draw = (): number => Math.random();\n', 'no-restricted-properties'],
  ['an adapter that imports the author layer', 'libs/examples', "export { type FnArgs } from '@lockstep/module';\n", '@nx/enforce-module-boundaries'],
  ['a service that imports a service', 'services/coordinator', "import '@lockstep/worker';\n", '@nx/enforce-module-boundaries'],
])('%s does not pass lint', (_what, project, source, rule) => {
  expect(brokenRules(project, source)).toContain(rule);
});

test('an import downwards passes', () => {
  expect(brokenRules('services/coordinator', "export { startServer } from '@lockstep/rpc';\n")).toEqual([]);
});
