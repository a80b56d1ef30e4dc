import { removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import { durableStudyStoreContract, studyStoreContract } from '../testing/study-store-contract';
import { SqlStudyStore } from './sql-study-store';

removeTemporaryFolders();

studyStoreContract('in SQLite', () => SqlStudyStore.openFolder(temporaryFolder(), '0'));
durableStudyStoreContract('in SQLite', () => {
  const folder = temporaryFolder();
  return Promise.resolve(() => SqlStudyStore.openFolder(folder, '0'));
});
