/** The agent as a process. */
import '@lockstep/rpc/telemetry';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger, packageVersion, RpcError } from '@lockstep/rpc';
import { Agent } from './agent';
import { readAgentConfig } from './agent-config';
import { probeFingerprint } from './probe';

const logger = createLogger('worker', 'info');

async function main(): Promise<void> {
  const config = readAgentConfig(process.argv.slice(2), process.env);
  logger.level = config.logLevel;
  mkdirSync(config.dataFolder, { recursive: true });
  rmSync(join(config.dataFolder, 'work'), { recursive: true, force: true }); // what an earlier process left
  const agent = new Agent(config, await probeFingerprint(), packageVersion(__dirname), logger);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'leaving');
      agent.stop();
    });
  }
  let announced = false;
  await agent.run(() => {
    if (announced) return;
    announced = true;
    process.stdout.write(`${JSON.stringify({ listening: config.coordinator, worker: config.worker, pid: process.pid })}\n`);
  });
}

main().then(() => process.exit(0), (e: unknown) => {
  const message = e instanceof RpcError || e instanceof Error ? e.message : String(e);
  process.stderr.write(`worker: ${message}\n`);
  process.exit(1);
});
