/** The agent as a process. */
import '@lockstep/rpc/telemetry';
import { mkdirSync, rmSync } from 'node:fs';
import { createLogger, leaveWithParent, packageVersion } from '@lockstep/rpc';
import { Agent, workFolder } from './agent';
import { readAgentConfig } from './agent-config';
import { probeFingerprint } from './probe';

const logger = createLogger('worker', 'info');

async function main(): Promise<void> {
  const config = readAgentConfig(process.argv.slice(2), process.env);
  logger.level = config.logLevel;
  mkdirSync(config.dataFolder, { recursive: true });
  rmSync(workFolder(config), { recursive: true, force: true }); // what an earlier process left
  const agent = new Agent(config, await probeFingerprint(), packageVersion(__dirname), logger);
  const leave = (signal: string): void => {
    logger.info({ signal }, 'leaving');
    void agent.stop();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => leave(signal));
  leaveWithParent(() => leave('the end of its parent'));
  let announced = false;
  await agent.run(() => {
    if (announced) return;
    announced = true;
    process.stdout.write(`${JSON.stringify({ listening: config.coordinator, worker: config.worker, pid: process.pid })}\n`);
  });
}

main().then(() => process.exit(0), (e: unknown) => {
  const message = e instanceof Error ? e.message : String(e);
  process.stderr.write(`worker: ${message}\n`);
  process.exit(1);
});
