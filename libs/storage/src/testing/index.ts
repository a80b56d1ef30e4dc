export { blobStoreContract, contractLimits, openWriter, readAll, store, type BlobStoreFixture } from './blob-store-contract';
export { contractMigrations, databaseContract, type ContractSchema, type DatabaseFixture } from './database-contract';
export { eventLogContract, type EventLogFixture } from './event-log-contract';
export { failingFileSystem, type FailingFileSystem, type FileOperation } from './failing-file-system';
export { rejection } from './rejection';
export { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
