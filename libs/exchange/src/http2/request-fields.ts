import type { HeaderField } from './hpack/static-table';

/** A request's fields, sorted out. */
export interface RequestFields {
  readonly method: string;
  readonly path: string;
  /** By name; values of a repeated name are joined as HTTP says. */
  readonly headers: ReadonlyMap<string, string>;
}

const CONNECTION_FIELDS = ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'];
const REQUEST_PSEUDO_FIELDS = [':method', ':scheme', ':path', ':authority'];

/** @returns undefined for a request that is malformed (RFC 9113, section 8.2 and 8.3) */
export function readRequestFields(fields: readonly HeaderField[]): RequestFields | undefined {
  const headers = new Map<string, string>();
  let regular = false;
  for (const { name, value } of fields) {
    if (name === '' || /[A-Z]/.test(name) || CONNECTION_FIELDS.includes(name)) return undefined;
    if (name.startsWith(':')) {
      if (regular || headers.has(name) || !REQUEST_PSEUDO_FIELDS.includes(name)) return undefined;
    } else {
      regular = true;
    }
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const method = headers.get(':method');
  const path = headers.get(':path');
  return method === undefined || path === undefined || path === '' || !headers.has(':scheme') ? undefined : { method, path, headers };
}
