import { Command } from 'commander';
import { diagnose, type Diagnosis } from '@lockstep/backend';
import { CoordinatorClient } from '@lockstep/client';
import { packageVersion, RpcError } from '@lockstep/rpc';
import { EXIT } from '../cli-error';
import { findCluster, type ClusterOptions } from '../cluster';
import type { Run } from '../main';

const CLUSTER_TIMEOUT_MS = 3000;

export const doctorCommand = (run: Run): Command =>
  new Command('doctor')
    .description('Say what computes here and why, what would make it faster, and whether a cluster answers.')
    .addHelpText('after', '\nExamples:\n  lockstep doctor\n  LOCKSTEP_BACKEND=wasm lockstep doctor --json')
    .action(() => run(async ({ output, cluster }) => {
      const diagnosis = await diagnose(process.env);
      const services = await askCluster(cluster);
      output.document({ version: packageVersion(`${__dirname}/..`), ...diagnosis, cluster: services });
      for (const [label, text] of lines(diagnosis)) output.line(`${label.padEnd(12)}${text}`);
      output.line(`${'cluster'.padEnd(12)}${services.says}`);
      return EXIT.OK;
    }));

function* lines({ backend, native, versions, cpu, gpu }: Diagnosis): Generator<[string, string]> {
  yield ['backend', `${backend.name}: ${backend.why}`];
  yield ['faster', backend.faster ?? 'nothing that is known'];
  yield ['versions', `node ${versions.node}, tfjs ${versions.tfjs}`];
  yield ['cpu', `${cpu.model} (${cpu.instructionSet})`];
  if (gpu !== undefined) yield ['gpu', gpu];
  for (const name of ['platform', 'python', 'compiler', 'headers', 'addon'] as const) {
    const finding = native[name];
    const facts = finding.kind === 'present' ? Object.entries(finding.facts).map(([k, v]) => `${k} ${v}`).join(', ') : finding.problem;
    yield [name, finding.kind === 'present' ? `ok${facts === '' ? '' : `  ${facts}`}` : `missing: ${facts}`];
  }
  yield ['cache', native.cache];
}

/** Whether the cluster that other commands would use answers. */
async function askCluster(options: ClusterOptions): Promise<{ readonly says: string; readonly coordinator?: string; readonly workers?: number }> {
  let coordinator: string;
  try {
    ({ coordinator } = findCluster(options, 'coordinator'));
  } catch (e) {
    return { says: e instanceof Error ? e.message : String(e) };
  }
  const client = new CoordinatorClient(coordinator);
  try {
    const { workers } = await client.rpc.listWorkers({ pageSize: 1000 }, { timeoutMs: CLUSTER_TIMEOUT_MS });
    return { says: `${coordinator} answers, ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`, coordinator, workers: workers.length };
  } catch (e) {
    return { says: `${coordinator} does not answer: ${RpcError.from(e).message}`, coordinator };
  } finally {
    client.close();
  }
}
