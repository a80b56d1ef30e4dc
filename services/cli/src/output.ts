import { toJson, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { cutToWidth, displayWidth, padToWidth } from './terminal-text';

/** Where a command writes: text for people, or one JSON document a line for programs. */
export class Output {
  /** Lines on the screen that are redrawn. */
  private liveLines = 0;

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

  get rows(): number {
    return this.stderr.rows || 24;
  }

  /** A line of text; nothing with --json. */
  line(text = ''): void {
    if (!this.json) this.stdout.write(`${text}\n`);
  }

  /** A whole text, to a file or a pipe as it is; on a terminal what follows begins a line of its own. Nothing with --json. */
  text(text: string): void {
    if (!this.json) this.stdout.write(this.stdout.isTTY && !text.endsWith('\n') ? `${text}\n` : text);
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
    this.redrawLines([text]);
  }

  /** Redraws some lines of a terminal in their place: as many as fit, none longer than the screen is wide. */
  redrawLines(lines: readonly string[]): void {
    if (!this.interactive) return;
    const shown = lines.slice(0, Math.max(1, this.rows - 1)).map((line) => cutToWidth(line, this.columns - 1));
    this.stderr.write(`${this.toFirstLine()}${shown.join('\n')}`);
    this.liveLines = shown.length;
  }

  /** Takes away what is redrawn, before anything else is written. */
  clearLine(): void {
    if (!this.interactive) return;
    this.stderr.write(this.toFirstLine());
    this.liveLines = 0;
  }

  /** To where the redrawn lines begin, and nothing below. */
  private toFirstLine(): string {
    return `\r${this.liveLines > 1 ? `\u001b[${this.liveLines - 1}A` : ''}\u001b[J`;
  }

  /** Columns aligned to the widest cell; the header in capitals. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const all = [header.map((h) => h.toUpperCase()), ...rows];
    for (const line of alignColumns(all)) this.line(line);
  }
}

/** Rows of cells as lines, each column as wide as its widest cell. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => { widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell)); });
  return rows.map((row) => row.map((cell, column) => padToWidth(cell, widths[column] ?? 0)).join('  ').trimEnd());
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

/**
 * A number for people: whole ones with all their digits as far as a double holds them, others with some.
 *
 * @param digits significant ones, 1 to 21
 */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isSafeInteger(value)) return String(value);
  const rounded = Number(value.toPrecision(digits));
  return Math.abs(rounded) > Number.MAX_SAFE_INTEGER && Number.isFinite(rounded) ? rounded.toExponential() : String(rounded);
}
