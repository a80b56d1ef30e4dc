import { durationMs, type Duration } from '@bufbuild/protobuf/wkt';
import { isStudyId, STUDY_ID_RULE, type Violation } from '@lockstep/search';
import { decodePageToken, resolvePageSize, type PageQuery } from '@lockstep/storage';
import { refuse } from '../study/tuner-error';

const COLLECTION = 'studies/';
const TRIAL_NAME = /^([^/]+\/[^/]+)\/trials\/(0|[1-9]\d{0,14})$/;
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const MAX_CLIENT_ID_LENGTH = 256;

const isStudyName = (name: string): boolean => name.startsWith(COLLECTION) && isStudyId(name.slice(COLLECTION.length));

/**
 * Reads the fields of a request and collects what is wrong with any of them, so that one answer names all.
 *
 * What a reader returns is only meaningful after `done()` has not thrown.
 */
export class RequestCheck {
  readonly violations: Violation[] = [];

  fault(field: string, description: string): void {
    this.violations.push({ field, description });
  }

  /** @throws TunerError INVALID_ARGUMENT with every fault that was found */
  done(): void {
    refuse(this.violations);
  }

  studyName(field: string, name: string): string {
    if (!isStudyName(name)) this.fault(field, `${shown(name)} is not the name of a study: studies/{study}`);
    return name;
  }

  /** @returns undefined when the request has none */
  studyId(field: string, id: string): string | undefined {
    if (id === '') return undefined;
    if (!isStudyId(id)) this.fault(field, `${shown(id)} is not an id: ${STUDY_ID_RULE}`);
    return id;
  }

  trialName(field: string, name: string): { readonly study: string; readonly number: number } {
    const [, study = '', number = '0'] = TRIAL_NAME.exec(name) ?? [];
    if (!isStudyName(study)) this.fault(field, `${shown(name)} is not the name of a trial: studies/{study}/trials/{trial}`);
    return { study, number: Number(number) };
  }

  clientId(id: string): string {
    if (id === '') this.fault('client_id', 'is required: who asks, the same when it asks again');
    if (id.length > MAX_CLIENT_ID_LENGTH) this.fault('client_id', `has ${id.length} characters, at most ${MAX_CLIENT_ID_LENGTH}`);
    return id;
  }

  /** @returns undefined when the request has none */
  requestId(id: string): string | undefined {
    if (id === '') return undefined;
    if (!REQUEST_ID.test(id)) this.fault('request_id', `${shown(id)} is not a request id: use letters, digits, "." "_" ":" "-", at most 128 characters`);
    return id;
  }

  /** @returns undefined when the request has none */
  duration(field: string, duration: Duration | undefined, maxMs: number): number | undefined {
    if (!duration) return undefined;
    const ms = durationMs(duration);
    if (ms < 0 || ms > maxMs) this.fault(field, `${ms / 1000} s: it must be from 0 to ${maxMs / 1000} s`);
    return ms;
  }

  count(field: string, count: number, fallback: number, most: number): number {
    if (count > most) this.fault(field, `${count} is more than ${most}`);
    return count === 0 ? fallback : count;
  }

  /** @returns the page's size, and the key after which it begins; undefined on the first */
  page(query: PageQuery, { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string }): { readonly size: number; readonly after: number | undefined } {
    const size = resolvePageSize(pageSize);
    if (size === undefined) this.fault('page_size', `${pageSize} is negative: leave it out for the default`);
    const start = decodePageToken(query, pageToken);
    if (start.kind === 'INVALID') this.fault('page_token', 'is not a token of this list: send the next_page_token of the page before, with the same other fields');
    return { size: size ?? 1, after: start.kind === 'AFTER' ? Number(start.key) : undefined };
  }
}

const SHOWN = 80;

const shown = (text: string): string => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text);
