import { toJson, type DescMessage, type MessageShape } from '@bufbuild/protobuf';

/** Where a command writes: text for people, or one JSON document a line for programs. */
export class Output {
  constructor(
    readonly json: boolean,
    private readonly stdout: NodeJS.WriteStream = process.stdout,
    private readonly stderr: NodeJS.WriteStream = process.stderr,
  ) {}

  /** True where lines may be redrawn. */
  get interactive(): boolean {
    return !this.json && this.stderr.isTTY;
  }

  get columns(): number {
    return this.stderr.columns || 80;
  }

  /** A line of text; nothing with --json. */
  line(text = ''): void {
    if (!this.json) this.stdout.write(`${text}\n`);
  }

  /** A JSON document; nothing without --json. */
  document(value: unknown): void {
    if (this.json) this.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A message in the canonical JSON of protobuf. */
  message<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
    if (this.json) this.document(toJson(schema, message));
  }

  /** Progress and remarks: never mixed with what was asked for. */
  remark(text: string): void {
    if (!this.json) this.stderr.write(`${text}\n`);
  }

  /** Redraws the current line of a terminal. */
  redraw(text: string): void {
    if (this.interactive) this.stderr.write(`\r\u001b[2K${text.slice(0, this.columns - 1)}`);
  }

  clearLine(): void {
    if (this.interactive) this.stderr.write('\r\u001b[2K');
  }

  /** Columns aligned to the widest cell; the header in capitals. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const all = [header.map((h) => h.toUpperCase()), ...rows];
    const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
    for (const row of all) this.line(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
  }
}

export const formatBytes = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
};

export const formatSeconds = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
};

/** Four significant digits, without an exponent where it reads well. */
export const formatNumber = (value: number): string => (Number.isInteger(value) ? String(value) : Number(value.toPrecision(4)).toString());
