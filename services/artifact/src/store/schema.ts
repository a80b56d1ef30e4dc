import { eventLogMigration, type Migration } from '@lockstep/storage';
import { sql, type Generated } from 'kysely';

/** The tables of the artifact service. Times are milliseconds since 1970; lists of labels are JSON. */
export interface ArtifactSchema {
  /** `latest_version` is the newest one that was not deleted, or 0; `last_number` the last one that was given out. */
  artifact: { id: string; type: string; latest_version: number; last_number: number; create_time_ms: number };
  /** Canonical bytes by digest: versions of several artifacts may share one. Empty when all of them were deleted. */
  manifest: { digest: string; bytes: Uint8Array };
  version: {
    artifact: string; number: number; digest: string; labels: string; file_count: number; size_bytes: number; create_time_ms: number;
    execution: string | null; fence_job: string | null; fence_generation: number | null;
    delete_time_ms: number | null; delete_reason: string | null;
  };
  /** The blobs of manifests that some version has. */
  blob_reference: { sha256: string; manifest: string; size_bytes: number };
  /** Blobs that no version had when they were condemned; a commit takes its own away from here. */
  condemned_blob: { sha256: string; size_bytes: number; time_ms: number };
  /** Newest generation of a job that was seen. */
  fence: { job: string; generation: number };
  execution: {
    sequence: Generated<number>; id: string; type: string; spec_digest: string; labels: string;
    state: string; detail: string; create_time_ms: number; end_time_ms: number | null;
  };
  execution_input: { execution: string; position: number; key: string; artifact: string; number: number };
  execution_output: { execution: string; position: number; key: string; artifact: string; number: number };
  /** What requests with an id did, so that their retries get the same answer. */
  request: { method: string; id: string; digest: string; result: string; time_ms: number };
}

const tables: Migration = {
  name: 'artifacts, versions, fences, executions, requests',
  up: async (transaction) => {
    const statements = [
      sql`create table artifact (id text primary key, type text not null, latest_version integer not null, create_time_ms integer not null) without rowid`,
      sql`create table manifest (digest text primary key, bytes blob not null)`,
      sql`create table version (
        artifact text not null references artifact (id), number integer not null, digest text not null references manifest (digest), labels text not null,
        file_count integer not null, size_bytes integer not null, create_time_ms integer not null,
        execution text, fence_job text, fence_generation integer, primary key (artifact, number)
      ) without rowid`,
      sql`create unique index version_by_digest on version (artifact, digest)`,
      sql`create table fence (job text primary key, generation integer not null) without rowid`,
      sql`create table execution (
        sequence integer primary key autoincrement, id text not null unique, type text not null, spec_digest text not null, labels text not null,
        state text not null, detail text not null, create_time_ms integer not null, end_time_ms integer
      )`,
      sql`create table execution_input (
        execution text not null references execution (id), position integer not null, key text not null, artifact text not null, number integer not null,
        primary key (execution, position), foreign key (artifact, number) references version (artifact, number)
      ) without rowid`,
      sql`create index execution_input_by_version on execution_input (artifact, number)`,
      sql`create table execution_output (
        execution text not null references execution (id), position integer not null, key text not null, artifact text not null, number integer not null,
        primary key (execution, position), foreign key (artifact, number) references version (artifact, number)
      ) without rowid`,
      sql`create unique index execution_output_once on execution_output (execution, key, artifact, number)`,
      sql`create index execution_output_by_version on execution_output (artifact, number)`,
      sql`create table request (method text not null, id text not null, digest text not null, result text not null, time_ms integer not null, primary key (method, id)) without rowid`,
      sql`create index request_by_time on request (time_ms)`,
    ];
    for (const statement of statements) await statement.execute(transaction);
  },
};

/** Lines of a manifest that name a blob. Also of a damaged one: what it names must not be taken for garbage. */
const BLOB_LINES = /^([0-9a-f]{64}) ([1-9][0-9]{0,15})$/gm;

const deletion: Migration = {
  name: 'deleted versions, and which blobs versions have',
  up: async (transaction) => {
    const statements = [
      sql`alter table artifact add column last_number integer not null default 0`,
      sql`update artifact set last_number = latest_version`,
      sql`alter table version add column delete_time_ms integer`,
      sql`alter table version add column delete_reason text`,
      sql`drop index version_by_digest`,
      sql`create unique index version_by_digest on version (artifact, digest) where delete_time_ms is null`,
      sql`create index version_by_manifest on version (digest) where delete_time_ms is null`,
      sql`create table blob_reference (
        sha256 text not null, manifest text not null references manifest (digest), size_bytes integer not null, primary key (sha256, manifest)
      ) without rowid`,
      sql`create index blob_reference_by_manifest on blob_reference (manifest)`,
      sql`create table condemned_blob (sha256 text primary key, size_bytes integer not null, time_ms integer not null) without rowid`,
      sql`create index condemned_blob_by_time on condemned_blob (time_ms)`,
    ];
    for (const statement of statements) await statement.execute(transaction);
    const { rows: manifests } = await sql<{ digest: string }>`select digest from manifest`.execute(transaction);
    for (const { digest } of manifests) {
      const { rows } = await sql<{ bytes: Uint8Array }>`select bytes from manifest where digest = ${digest}`.execute(transaction);
      for (const [, sha256, sizeBytes] of Buffer.from(rows[0]?.bytes ?? []).toString('utf8').matchAll(BLOB_LINES)) {
        await sql`insert into blob_reference values (${sha256}, ${digest}, ${Number(sizeBytes)}) on conflict do nothing`.execute(transaction);
      }
    }
  },
};

/** All versions of the schema, oldest first. */
export const artifactMigrations: readonly Migration[] = [tables, eventLogMigration, deletion];
