import { ArtifactService, type Artifact, type Execution, type ExecutionState, type RunGcResponse, type Version } from '@lockstep/contract';
import { createClient, RpcError, type Channel, type ServiceClient } from '@lockstep/rpc';
import { formatVersionName, parseArtifactName, parseVersionName, supersededNumbers, type BlobRef, type Label } from '@lockstep/versions';
import { randomUUID } from 'node:crypto';
import { cutFiles } from './cut-files';
import { downloadVersion, type DownloadOptions } from './download';
import { filesBelow, type FileSource } from './file-source';
import { forEachParallel } from './for-each-parallel';
import { progressCounter, type OnProgress } from './progress';
import { DEFAULT_RETRY, withRetry, type RetryPolicy } from './retry';
import { uploadBlob } from './upload-blob';

/** What to put, and as what. */
export interface PutOptions {
  /** artifacts/{artifact}; it comes to be with its first version. */
  readonly artifact: string;
  readonly type: string;
  readonly labels?: readonly Label[];
  /** For a member of a job: only its newest generation may commit. */
  readonly fence?: { readonly job: string; readonly generation: number };
  /** A running execution that the version becomes an output of, executions/{execution}. */
  readonly execution?: string;
  /** Role of the version in the execution. Default: the type. */
  readonly outputKey?: string;
  /** Makes a repeated put, also by another process, the same request. Default: a new one for each put. */
  readonly requestId?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** What a put did. */
export interface PutResult {
  /** Without entries. */
  readonly version: Version;
  /** False when the artifact had a version with these files already. */
  readonly created: boolean;
  /** Bytes that the service did not have yet. */
  readonly uploadedBytes: number;
}

/** A version in a role of an execution. */
export interface ExecutionLink {
  readonly key: string;
  /** artifacts/{artifact}/versions/{version}, or .../versions/latest. */
  readonly version: string;
}

/** An execution that begins. */
export interface BeginExecution {
  readonly type: string;
  /** SHA-256 of its specification, in hex. */
  readonly specDigest?: string;
  readonly inputs?: readonly ExecutionLink[];
  readonly labels?: readonly Label[];
  /** Wanted {execution}. Default: the service chooses. */
  readonly executionId?: string;
  readonly requestId?: string;
}

export interface ArtifactClientOptions {
  /** Blobs on the wire at a time. Default: 4. */
  readonly parallel?: number;
  readonly retry?: RetryPolicy;
}

/** Blobs that one request asks about. */
const ASK_AT_ONCE = 10_000;
const PAGE_SIZE = 200;
/** A collection looks at every blob that is stored. */
const GC_TIMEOUT_MS = 600_000;

/**
 * The artifact service for programs: files in, versions out, executions. Calls that a restart of the service interrupts are made again; a transfer
 * goes on where it stood. Errors are RpcError (what the service said) and TransferError (what went wrong with the files).
 */
export class ArtifactClient {
  private readonly client: ServiceClient<typeof ArtifactService>;
  private readonly parallel: number;
  private readonly retry: RetryPolicy;

  constructor(channel: Channel, options: ArtifactClientOptions = {}) {
    this.client = createClient(ArtifactService, channel);
    this.parallel = options.parallel ?? 4;
    this.retry = options.retry ?? DEFAULT_RETRY;
  }

  /** Puts all files below a folder as a version. */
  async putDirectory(directory: string, options: PutOptions): Promise<PutResult> {
    return this.putFiles(await filesBelow(directory), options);
  }

  /** Puts files as a version: hashes them, uploads the blobs that the service does not have, commits. */
  async putFiles(files: readonly FileSource[], options: PutOptions): Promise<PutResult> {
    const { onProgress, signal } = options;
    const hashed = progressCounter('HASH', files.reduce((sum, f) => sum + f.sizeBytes, 0), onProgress);
    const { manifest, locations } = await cutFiles(files, hashed);
    const missing = await this.findMissing([...locations.values()].map((l) => l.blob), signal);
    const uploads = missing.flatMap((sha256) => locations.get(sha256) ?? []);
    const uploadedBytes = uploads.reduce((sum, l) => sum + l.blob.sizeBytes, 0);
    const sent = progressCounter('UPLOAD', uploadedBytes, onProgress);
    await forEachParallel(uploads, this.parallel, (location) => uploadBlob(this.client, location, this.retry, signal, sent));
    const request = {
      artifact: options.artifact, type: options.type, labels: [...(options.labels ?? [])],
      entries: manifest.entries.map((e) => ({ path: e.path, mode: e.mode, sizeBytes: BigInt(e.sizeBytes), blobs: e.blobs.map((b) => ({ sha256: b.sha256, sizeBytes: BigInt(b.sizeBytes) })) })),
      execution: options.execution ?? '', outputKey: options.outputKey ?? '', requestId: options.requestId ?? randomUUID(),
      ...(options.fence && { fence: { job: options.fence.job, generation: BigInt(options.fence.generation) } }),
    };
    const { version, created } = await this.call(() => this.client.commitVersion(request, optionsOf(signal)), signal);
    if (!version) throw new Error('CommitVersion answered without a version');
    return { version, created, uploadedBytes };
  }

  /** A version with its entries. @param name artifacts/{artifact}/versions/{version}, or .../versions/latest */
  async getVersion(name: string, signal?: AbortSignal): Promise<Version> {
    return this.call(() => this.client.getVersion({ name }, optionsOf(signal)), signal);
  }

  /**
   * Fetches a version's files into a folder, all or nothing, verified.
   *
   * @param directory must not exist, or be empty
   */
  async downloadTo(name: string, directory: string, options: DownloadOptions = {}): Promise<Version> {
    const version = await this.getVersion(name, options.signal);
    await downloadVersion(this.client, version, directory, this.parallel, this.retry, options);
    return version;
  }

  async getArtifact(name: string): Promise<Artifact> {
    return this.call(() => this.client.getArtifact({ name }));
  }

  /** Sorted by name. */
  listArtifacts(filter: { readonly type?: string; readonly namePrefix?: string } = {}): AsyncGenerator<Artifact> {
    return pages(async (pageToken) => {
      const { artifacts, nextPageToken } = await this.call(() => this.client.listArtifacts({ ...filter, pageSize: PAGE_SIZE, pageToken }));
      return { items: artifacts, nextPageToken };
    });
  }

  /** Newest first, without entries. @param parent artifacts/{artifact} */
  listVersions(parent: string): AsyncGenerator<Version> {
    return pages(async (pageToken) => {
      const { versions, nextPageToken } = await this.call(() => this.client.listVersions({ parent, pageSize: PAGE_SIZE, pageToken }));
      return { items: versions, nextPageToken };
    });
  }

  /**
   * Deletes a version; deleting it again changes nothing.
   *
   * @param name artifacts/{artifact}/versions/{version}
   * @param reason in words, kept with what stays of it
   * @throws RpcError NOT_FOUND for a version that never was, FAILED_PRECONDITION (VERSION_IN_USE) while a running execution reads it
   */
  async deleteVersion(name: string, reason = ''): Promise<Version> {
    return this.call(() => this.client.deleteVersion({ name, reason }));
  }

  /**
   * Deletes the versions of an artifact that are older than the newest of those to keep and are none of them; all when none is to be kept. What was
   * committed later stays, and so does what a running execution reads.
   *
   * @param artifact artifacts/{artifact}; fine when it does not exist
   * @param kept names of versions
   * @returns names of the versions that were deleted
   */
  async retainVersions(artifact: string, kept: readonly string[], reason: string): Promise<readonly string[]> {
    const id = parseArtifactName(artifact) ?? '';
    const numbersOf = (names: readonly string[]): readonly number[] => names.flatMap((name) => parseVersionName(name)?.number ?? []);
    const deleted: string[] = [];
    for (const number of supersededNumbers(numbersOf(await this.versionNames(artifact)), numbersOf(kept))) {
      const name = formatVersionName({ artifact: id, number });
      try {
        await this.deleteVersion(name, reason);
        deleted.push(name);
      } catch (e) {
        if (!(e instanceof RpcError && e.details.reason === 'VERSION_IN_USE')) throw e;
      }
    }
    return deleted;
  }

  /** Condemns the blobs that no version has, and removes those whose grace is over. @param options validateOnly: only says what it would do */
  async runGc(options: { readonly validateOnly?: boolean } = {}): Promise<RunGcResponse> {
    return this.call(() => this.client.runGc({ validateOnly: options.validateOnly ?? false }, { timeoutMs: GC_TIMEOUT_MS }));
  }

  /** From now on commits of older generations of the job are refused. */
  async advanceFence(job: string, generation: number): Promise<void> {
    await this.call(() => this.client.advanceFence({ fence: { job, generation: BigInt(generation) } }));
  }

  async beginExecution({ type, specDigest = '', inputs = [], labels = [], executionId = '', requestId = randomUUID() }: BeginExecution): Promise<Execution> {
    const request = { execution: { type, specDigest, inputs: links(inputs), labels: labels.map((l) => ({ ...l })) }, executionId, requestId };
    return this.call(() => this.client.createExecution(request));
  }

  /** @param outputs besides the versions that were put with this execution */
  async completeExecution(name: string, state: ExecutionState, detail = '', outputs: readonly ExecutionLink[] = []): Promise<Execution> {
    return this.call(() => this.client.completeExecution({ name, state, detail, outputs: links(outputs) }));
  }

  async getExecution(name: string): Promise<Execution> {
    return this.call(() => this.client.getExecution({ name }));
  }

  /** Newest first. With `output`: what made this version; with `input`: what was made of it. */
  listExecutions(filter: { readonly input?: string; readonly output?: string } = {}): AsyncGenerator<Execution> {
    return pages(async (pageToken) => {
      const { executions, nextPageToken } = await this.call(() => this.client.listExecutions({ ...filter, pageSize: PAGE_SIZE, pageToken }));
      return { items: executions, nextPageToken };
    });
  }

  /** Of an artifact's versions, newest first; none when there is no such artifact. */
  private async versionNames(artifact: string): Promise<readonly string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of this.listVersions(artifact)) names.push(name);
    } catch (e) {
      if (!(e instanceof RpcError && e.code === 'NOT_FOUND')) throw e;
    }
    return names;
  }

  private async findMissing(blobs: readonly BlobRef[], signal: AbortSignal | undefined): Promise<readonly string[]> {
    const missing: string[] = [];
    for (let at = 0; at < blobs.length; at += ASK_AT_ONCE) {
      const asked = blobs.slice(at, at + ASK_AT_ONCE).map((b) => ({ sha256: b.sha256, sizeBytes: BigInt(b.sizeBytes) }));
      const reply = await this.call(() => this.client.findMissingBlobs({ blobs: asked }, optionsOf(signal)), signal);
      missing.push(...reply.missing.map((b) => b.sha256));
    }
    return missing;
  }

  /** Every rpc of this service can be made twice: commits and executions carry request ids. */
  private call<T>(make: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withRetry(this.retry, signal, make);
  }
}

const optionsOf = (signal: AbortSignal | undefined) => ({ ...(signal && { signal }) });
const links = (of: readonly ExecutionLink[]) => of.map(({ key, version }) => ({ key, version }));

async function* pages<T>(fetch: (pageToken: string) => Promise<{ readonly items: readonly T[]; readonly nextPageToken: string }>): AsyncGenerator<T> {
  for (let token = ''; ;) {
    const { items, nextPageToken } = await fetch(token);
    yield* items;
    if (nextPageToken === '') return;
    token = nextPageToken;
  }
}
