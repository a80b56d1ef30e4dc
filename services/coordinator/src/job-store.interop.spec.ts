import { describeWithPostgres, startPostgres, type PostgresServer } from '@lockstep/storage/testing';
import { SqlJobStore } from './sql-job-store';
import { durableJobStoreContract, jobStoreContract } from './testing/job-store-contract';

describeWithPostgres('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => { server = await startPostgres(); });
  afterAll(() => server.stop());

  jobStoreContract('in PostgreSQL', async () => SqlJobStore.openServer(await server.createDatabase(), '0'));
  durableJobStoreContract('in PostgreSQL', async () => {
    const url = await server.createDatabase();
    return () => SqlJobStore.openServer(url, '0');
  });
});
