#!/usr/bin/env node
import '@lockstep/rpc/telemetry';
import { createLogger, runService } from '@lockstep/rpc';
import { startArtifactService } from './artifact-service';
import { resolveConfig, type ConfigResult } from './config';
import { SettingsError } from './settings';

/** Exit code for settings that cannot be used. */
const EXIT_USAGE = 2;

function readConfig(): ConfigResult {
  try {
    return resolveConfig(process.argv.slice(2), process.env);
  } catch (e) {
    if (!(e instanceof SettingsError)) throw e;
    process.stderr.write(`${e.message}\n`);
    process.exit(EXIT_USAGE);
  }
}

const result = readConfig();
switch (result.kind) {
  case 'HELP':
    process.stdout.write(result.text);
    break;
  case 'CONFIG': {
    const { listen, data, gcGraceMs, gcIntervalMs, logLevel } = result.config;
    const logger = createLogger('artifact', logLevel);
    runService(logger, async () => {
      const { server, close } = await startArtifactService({ listen, folder: data, logger, gc: { graceMs: gcGraceMs, intervalMs: gcIntervalMs } });
      logger.info({ listen: server.address, data }, 'serving');
      return { server, close, facts: { data } };
    });
    break;
  }
}
