/**
 * Resource names, parsed and formatted here and nowhere else.
 *
 * 1. Every id begins and ends with a letter or digit, has "." "_" "-" between, and at most 128 characters: an id is also
 *    a safe file name, and "." and ".." are none.
 * 2. format(parse(name)) === name: there is one spelling of a name ("versions/01" is none).
 */
import { quote } from './violation';

/** artifacts/{artifact}/versions/{number} */
export interface VersionName {
  readonly artifact: string;
  /** From 1. */
  readonly number: number;
}

/** A version as a request may name it: by number, or the newest one. */
export interface VersionQuery {
  readonly artifact: string;
  readonly number: number | 'latest';
}

const ID = '[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?';
const ID_RULE = 'letters and digits, with "." "_" "-" between them, at most 128 characters';
const WHOLE_ID = new RegExp(`^${ID}$`);
const ARTIFACT = new RegExp(`^artifacts/(${ID})$`);
const EXECUTION = new RegExp(`^executions/(${ID})$`);
const JOB = new RegExp(`^jobs/(${ID})$`);
const VERSION = new RegExp(`^artifacts/(${ID})/versions/([1-9][0-9]{0,14}|latest)$`);

export const isResourceId = (text: string): boolean => WHOLE_ID.test(text);

/** What is wrong with an id, or undefined. */
export const resourceIdFault = (text: string): string | undefined =>
  isResourceId(text) ? undefined : `${quote(text)} is not an id: use ${ID_RULE}`;

/** Each returns undefined for what is not such a name. */
export const parseArtifactName = (name: string): string | undefined => ARTIFACT.exec(name)?.[1];
export const parseExecutionName = (name: string): string | undefined => EXECUTION.exec(name)?.[1];
export const parseJobName = (name: string): string | undefined => JOB.exec(name)?.[1];

export function parseVersionQuery(name: string): VersionQuery | undefined {
  const [, artifact, number] = VERSION.exec(name) ?? [];
  if (artifact === undefined || number === undefined) return undefined;
  return { artifact, number: number === 'latest' ? 'latest' : Number(number) };
}

/** Like parseVersionQuery, for places where only a number will do. */
export function parseVersionName(name: string): VersionName | undefined {
  const query = parseVersionQuery(name);
  return query && query.number !== 'latest' ? { artifact: query.artifact, number: query.number } : undefined;
}

export const formatArtifactName = (artifact: string): string => `artifacts/${artifact}`;
export const formatVersionName = ({ artifact, number }: VersionQuery): string => `artifacts/${artifact}/versions/${number}`;
export const formatExecutionName = (execution: string): string => `executions/${execution}`;
export const formatJobName = (job: string): string => `jobs/${job}`;

/** What kind of name a field wants, for errors. */
export type NameKind = 'artifact' | 'version' | 'versionOrLatest' | 'execution' | 'job';

const KINDS: { readonly [K in NameKind]: { readonly form: string; readonly matches: (name: string) => boolean } } = {
  artifact: { form: 'artifacts/{artifact}', matches: (n) => parseArtifactName(n) !== undefined },
  version: { form: 'artifacts/{artifact}/versions/{number}', matches: (n) => parseVersionName(n) !== undefined },
  versionOrLatest: { form: 'artifacts/{artifact}/versions/{number}, or .../versions/latest', matches: (n) => parseVersionQuery(n) !== undefined },
  execution: { form: 'executions/{execution}', matches: (n) => parseExecutionName(n) !== undefined },
  job: { form: 'jobs/{job}', matches: (n) => parseJobName(n) !== undefined },
};

/** What is wrong with a name of a kind, with the form that is wanted; undefined when nothing is. */
export function nameFault(kind: NameKind, name: string): string | undefined {
  const { form, matches } = KINDS[kind];
  if (matches(name)) return undefined;
  if (name === '') return `is required: ${form}`;
  return `${quote(name)} is not of the form ${form}, where an id is ${ID_RULE}`;
}
