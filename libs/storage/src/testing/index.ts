export { blobStoreContract, contractLimits, openWriter, readAll, store, type BlobStoreFixture } from './blob-store-contract';
export { contractMigrations, databaseContract, sharedMigrations, type ContractSchema, type DatabaseFixture } from './database-contract';
export { eventLogContract, type EventLogFixture } from './event-log-contract';
export { failingFileSystem, type FailingFileSystem, type FileOperation } from './failing-file-system';
export { leaseContract } from './lease-contract';
export { findPostgres, type PostgresPrograms } from './postgres-programs';
export { describeWithPostgres, startPostgres, type PostgresServer } from './postgres-server';
export { rejection } from './rejection';
export { removeTemporaryFolders, temporaryFolder } from './temporary-folder';
