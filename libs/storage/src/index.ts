export type { BlobReading, BlobStore, BlobWriter, OpenedUpload, UploadKey, UploadStatus } from './blob-store';
export type { ColumnTypes } from './column-types';
export { CompiledStatement, InsertStatement, RowsStatement } from './compiled-statement';
export type { Database, DatabaseTransaction } from './database';
export { DatabaseError, isOutage, type DatabaseFailure } from './database-error';
export { DiskBlobStore, type DiskBlobStoreOptions } from './disk-blob-store';
export { isUploadId } from './disk-layout';
export { EventLog, eventLogMigration, type EventTransaction, type LoggedEvent, type NewEvent } from './event-log';
export { nodeFileSystem, type FileSystem, type OpenFile } from './file-system';
export { lockFolder, type FolderLock } from './folder-lock';
export { awaitLeadership, keepLeadership, type LeadershipLog, type LeadershipParts } from './leadership';
export { leaseMigration, type Lease, type LeaseAnswer, type Leases, type LeaseStatus } from './lease';
export type { Migration, SchemaOwner } from './migration';
export type { Listener, Notifications, NotifyingTransaction } from './notifications';
export {
  cutPage, decodePageToken, DEFAULT_PAGE_SIZE, encodePageToken, MAX_PAGE_SIZE, resolvePageSize, type DecodedPageToken, type PageQuery,
} from './page-token';
export { openPostgres, type PostgresDatabaseOptions } from './postgres/postgres-database';
export { openDatabase, type DatabaseOptions } from './sqlite-database';
export { StorageError, type StorageErrorReason } from './storage-error';
