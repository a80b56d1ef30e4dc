import { Command } from 'commander';
import { CoordinatorClient } from '@lockstep/client';
import { WorkerSchema, WorkerState } from '@lockstep/contract';
import { EXIT } from '../cli-error';
import { findCluster } from '../cluster';
import type { Run } from '../main';

export const workersCommand = (run: Run): Command =>
  new Command('workers')
    .description('List the workers that are attached.')
    .addHelpText('after', '\nExample:\n  lockstep workers --json')
    .action(() => run(async ({ output, cluster }) => {
      const client = new CoordinatorClient(findCluster(cluster, 'coordinator').coordinator);
      try {
        const rows: string[][] = [];
        for await (const worker of client.workers()) {
          output.message(WorkerSchema, worker);
          rows.push([worker.name, WorkerState[worker.state].toLowerCase(), worker.job || '-', `${worker.host} (pid ${worker.pid})`, worker.fingerprint?.backend ?? '?', worker.fingerprint?.libraryVersion ?? '?']);
        }
        output.table(['worker', 'state', 'job', 'host', 'backend', 'library'], rows);
        return EXIT.OK;
      } finally {
        client.close();
      }
    }));
