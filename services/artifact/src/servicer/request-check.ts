import { RpcError } from '@lockstep/rpc';
import {
  labelViolations, nameFault, parseArtifactName, parseExecutionName, parseJobName, parseVersionName, parseVersionQuery, quote, sortLabels,
  type Fence, type Label, type NameKind, type Violation, type VersionName, type VersionQuery,
} from '@lockstep/versions';
import { decodePageToken, resolvePageSize, type DecodedPageToken, type PageQuery } from '@lockstep/storage';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Faults that one answer names; more do not fit in a trailer. */
const MAX_VIOLATIONS = 25;

/**
 * Reads the fields of a request and collects what is wrong with any of them, so that one answer names all.
 *
 * What a reader returns is only meaningful after `done()` has not thrown.
 */
export class RequestCheck {
  private readonly violations: Violation[] = [];

  /** Notes a fault, if there is one. */
  fault(field: string, description: string | undefined): void {
    if (description !== undefined) this.violations.push({ field, description });
  }

  add(violations: readonly Violation[]): void {
    this.violations.push(...violations);
  }

  /** @throws RpcError INVALID_ARGUMENT with every fault that was found */
  done(): void {
    if (this.violations.length === 0) return;
    const left = this.violations.length - MAX_VIOLATIONS;
    const named = this.violations.slice(0, MAX_VIOLATIONS);
    const [last] = this.violations.slice(-1);
    throw RpcError.badRequest(left > 0 && last ? [...named, { field: last.field, description: `and ${left} faults that are left out` }] : named);
  }

  artifactName(field: string, name: string): string {
    return this.name(field, 'artifact', name, parseArtifactName) ?? '';
  }

  executionName(field: string, name: string): string {
    return this.name(field, 'execution', name, parseExecutionName) ?? '';
  }

  versionName(field: string, name: string): VersionName {
    return this.name(field, 'version', name, parseVersionName) ?? { artifact: '', number: 1 };
  }

  /** A version by number or `latest`. */
  versionQuery(field: string, name: string): VersionQuery {
    return this.name(field, 'versionOrLatest', name, parseVersionQuery) ?? { artifact: '', number: 1 };
  }

  /** A 64-bit number of the wire as one that JavaScript holds exactly. */
  number(field: string, value: bigint): number {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) this.fault(field, `${value} is larger than 2^53 - 1`);
    return number;
  }

  fence(field: string, fence: { readonly job: string; readonly generation: bigint }): Fence {
    const job = this.name(`${field}.job`, 'job', fence.job, parseJobName) ?? '';
    const generation = this.number(`${field}.generation`, fence.generation);
    if (generation < 1) this.fault(`${field}.generation`, 'is required: generations begin at 1');
    return { job, generation };
  }

  labels(field: string, labels: readonly Label[]): readonly Label[] {
    this.add(labelViolations(labels, field));
    return sortLabels(labels.map(({ key, value }) => ({ key, value })));
  }

  /** @returns undefined when the request has none */
  requestId(id: string): string | undefined {
    if (id === '') return undefined;
    if (!REQUEST_ID.test(id)) this.fault('request_id', `${quote(id)} is not a request id: use letters, digits, "." "_" ":" "-", at most 128 characters`);
    return id;
  }

  page(query: PageQuery, request: { readonly pageSize: number; readonly pageToken: string }): { readonly size: number; readonly start: DecodedPageToken } {
    const size = resolvePageSize(request.pageSize);
    if (size === undefined) this.fault('page_size', `${request.pageSize} is negative: leave it out for the default`);
    const start = decodePageToken(query, request.pageToken);
    if (start.kind === 'INVALID') this.fault('page_token', 'is not a token of this list: send the next_page_token of the page before, with the same other fields');
    return { size: size ?? 1, start };
  }

  private name<T>(field: string, kind: NameKind, name: string, parse: (name: string) => T | undefined): T | undefined {
    this.fault(field, nameFault(kind, name));
    return parse(name);
  }
}
