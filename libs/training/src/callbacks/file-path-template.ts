/**
 * Names of files with fields: `{epoch:02d}-{val_loss:.2f}`. The part of Python's format strings that ModelCheckpoint's users
 * write; what it gives are Python's characters.
 */

/** epoch and batch are counts, written as integers; all else is a number of the logs, as Python writes a float. */
const COUNTS: readonly string[] = ['epoch', 'batch'];

const SPEC = /^(0?)(\d{0,2})(?:\.(\d{1,2}))?([df]?)$/;
const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

type Part = { readonly kind: 'TEXT'; readonly text: string } | { readonly kind: 'FIELD'; readonly name: string; readonly format: (value: number) => string };

export class FilePathTemplate {
  private readonly parts: readonly Part[];

  /** @throws SyntaxError that says which field cannot be written */
  constructor(template: string) {
    const parts: Part[] = [];
    let end = 0;
    for (const match of template.matchAll(PART)) {
      const [text, field] = match;
      parts.push({ kind: 'TEXT', text: template.slice(end, match.index) });
      end = match.index + text.length;
      if (field !== undefined) parts.push(fieldOf(field));
      else if (text.length === 2) parts.push({ kind: 'TEXT', text: text.slice(1) });
      else throw new SyntaxError(`'${text}' at position ${match.index} belongs to no field; write '${text}${text}' for the character`);
    }
    this.parts = [...parts, { kind: 'TEXT', text: template.slice(end) }];
  }

  /** Names of its fields. */
  get fields(): readonly string[] {
    return [...new Set(this.parts.flatMap((part) => (part.kind === 'FIELD' ? [part.name] : [])))];
  }

  /** @param values must have all fields */
  format(values: Readonly<Record<string, number>>): string {
    return this.parts.map((part) => (part.kind === 'TEXT' ? part.text : part.format(values[part.name] ?? NaN))).join('');
  }
}

function fieldOf(field: string): Part {
  const [, name = '', spec = ''] = /^([^:]*):?(.*)$/.exec(field) ?? [];
  const isCount = COUNTS.includes(name);
  const [matched, zero, width, precision, type] = SPEC.exec(spec) ?? [];
  const refuse = (): SyntaxError =>
    new SyntaxError(`the field {${field}} cannot be written: write {epoch}, {epoch:02d}, {val_loss} or {val_loss:.2f}`);
  if (name === '' || matched === undefined) throw refuse();
  if (type !== 'f' && (precision !== undefined || (!isCount && spec !== ''))) throw refuse();
  const padded = (text: string): string => pad(text, Number(width), zero === '0');
  if (type === 'f') return { kind: 'FIELD', name, format: (value) => padded(fixed(value, Number(precision ?? 6))) };
  return { kind: 'FIELD', name, format: isCount ? (value) => padded(String(value)) : floatText };
}

const isSpecial = (value: number): boolean => !Number.isFinite(value);

const specialText = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf');

function pad(text: string, width: number, withZeros: boolean): string {
  if (!withZeros) return text.padStart(width);
  const sign = text.startsWith('-') ? '-' : '';
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}

/** More digits than tell a double from a number with `digits` of them. */
const EXTRA_DIGITS = 40;

/** Python's `f`: rounds half to even, where toFixed rounds half away from zero. */
function fixed(value: number, digits: number): string {
  if (isSpecial(value)) return specialText(value);
  if (Math.abs(value) >= 1e21) return `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  const size = Math.abs(value);
  const exact = size.toFixed(Math.min(100, digits + EXTRA_DIGITS));
  const cut = exact.indexOf('.') + 1 + digits;
  const kept = exact.slice(0, cut).replace(/\.$/, '');
  const isTie = /^50*$/.test(exact.slice(cut));
  const isEven = '02468'.includes(kept.at(-1) ?? '');
  const text = isTie && isEven ? kept : size.toFixed(digits);
  return value < 0 || Object.is(value, -0) ? `-${text}` : text;
}

/** Python's shortest text of a float: exponents from 1e16 and below 1e-4, and always a point or an exponent. */
function floatText(value: number): string {
  if (isSpecial(value)) return specialText(value);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  if (power < 0) {
    const sign = mantissa.startsWith('-') ? '-' : '';
    return `${sign}0.${'0'.repeat(-power - 1)}${mantissa.replace(/[-.]/g, '')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}
