import { describeWithPostgres, startPostgres, type PostgresServer } from '@lockstep/storage/testing';
import { durableStudyStoreContract, studyStoreContract } from '../testing/study-store-contract';
import { SqlStudyStore } from './sql-study-store';

describeWithPostgres('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => { server = await startPostgres(); });
  afterAll(() => server.stop());

  studyStoreContract('in PostgreSQL', async () => SqlStudyStore.openServer(await server.createDatabase(), '0'));
  durableStudyStoreContract('in PostgreSQL', async () => {
    const url = await server.createDatabase();
    return () => SqlStudyStore.openServer(url, '0');
  });
});
