import { status } from '@grpc/grpc-js';

/** The canonical gRPC codes by name. */
export type StatusCode = Exclude<keyof typeof status, 'OK'>;

const NAMES = new Map<number, StatusCode>(
  (Object.entries(status) as [keyof typeof status, number][])
    .filter((entry): entry is [StatusCode, number] => entry[0] !== 'OK' && typeof entry[1] === 'number')
    .map(([name, value]) => [value, name]),
);

/** The name of a numeric code; UNKNOWN for a number that gRPC does not define. */
export const statusCodeOf = (value: number): StatusCode => NAMES.get(value) ?? 'UNKNOWN';

export const statusNumber = (code: StatusCode): number => status[code];
