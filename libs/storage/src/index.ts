export type { BlobReading, BlobStore, BlobWriter, OpenedUpload, UploadKey, UploadStatus } from './blob-store';
export { openDatabase, type Database, type DatabaseOptions, type DatabaseTransaction } from './database';
export { DiskBlobStore, type DiskBlobStoreOptions } from './disk-blob-store';
export { isUploadId } from './disk-layout';
export { EventLog, eventLogMigration, type EventTransaction, type LoggedEvent, type NewEvent } from './event-log';
export { nodeFileSystem, type FileSystem, type OpenFile } from './file-system';
export { lockFolder, type FolderLock } from './folder-lock';
export type { Migration, SchemaOwner } from './migration';
export {
  cutPage, decodePageToken, DEFAULT_PAGE_SIZE, encodePageToken, MAX_PAGE_SIZE, resolvePageSize, type DecodedPageToken, type PageQuery,
} from './page-token';
export { StorageError, type StorageErrorReason } from './storage-error';
