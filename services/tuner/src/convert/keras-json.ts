/** What JSON documents of KerasTuner's hold, where its versions differ in what they write. */
import { PythonFloat, SearchError, type PythonJson } from '@lockstep/search';

export interface JsonObject {
  readonly [key: string]: PythonJson;
}

const isObject = (json: PythonJson | undefined): json is JsonObject => typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof PythonFloat);

/** @param source what it is, for the fault. @throws SearchError MALFORMED_JSON */
export function object(json: PythonJson, source: string): JsonObject {
  if (isObject(json)) return json;
  throw new SearchError('MALFORMED_JSON', [{ field: source, description: 'should be an object' }]);
}

/** An empty one where there is none. */
export const optionalObject = (json: PythonJson | undefined): JsonObject => (isObject(json) ? json : {});

/** What stands alone is a list of one. */
export const list = (json: PythonJson | undefined): readonly PythonJson[] => (Array.isArray(json) ? json as readonly PythonJson[] : json === undefined ? [] : [json]);

export function number(json: PythonJson | undefined): number | undefined {
  if (json instanceof PythonFloat) return json.value;
  return typeof json === 'number' ? json : undefined;
}
