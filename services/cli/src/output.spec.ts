import { Writable } from 'node:stream';
import { formatNumber, Output } from './output';
import { captured } from './testing/captured';

/** A terminal that keeps what is on it: it knows the controls that Output uses. */
class Screen extends Writable {
  readonly isTTY = true;
  private lines: string[] = [''];
  private row = 0;

  constructor(readonly columns: number, readonly rows: number) {
    super({ decodeStrings: false });
  }

  get shown(): readonly string[] {
    return this.lines;
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    // eslint-disable-next-line no-control-regex
    for (const [token, up] of chunk.matchAll(/\u001b\[(\d+)A|\u001b\[J|[^]/g)) {
      if (up !== undefined) this.row -= Number(up);
      else if (token === '\u001b[J') this.lines.splice(this.row, Infinity, '');
      else if (token === '\n') this.lines[++this.row] ??= '';
      else if (token !== '\r') this.lines[this.row] = `${this.lines[this.row] ?? ''}${token}`;
    }
    done();
  }
}

const outputOn = (screen: Screen): Output => new Output(false, screen as unknown as NodeJS.WriteStream, screen as unknown as NodeJS.WriteStream);

test('lines are redrawn in their place, more or fewer, and go before others are written', () => {
  const screen = new Screen(20, 10);
  const output = outputOn(screen);
  output.line('before');
  output.redrawLines(['a', 'b', 'c']);
  output.redrawLines(['d']);
  output.redrawLines(['e', 'f']);
  expect(screen.shown).toEqual(['before', 'e', 'f']);
  output.redraw('g');
  expect(screen.shown).toEqual(['before', 'g']);
  output.redrawLines(['h', 'i']);
  output.clearLine();
  output.line('after');
  expect(screen.shown).toEqual(['before', 'after', '']);
});

test('nothing is drawn that would scroll or wrap', () => {
  const screen = new Screen(10, 4);
  outputOn(screen).redrawLines(['a line that is too long', '宽度宽度宽度', 'c', 'd', 'e']);
  expect(screen.shown).toEqual(['a line t…', '宽度宽度…', 'c']);
});

test('nothing is redrawn for programs', () => {
  const screen = new Screen(10, 4);
  const output = new Output(true, screen as unknown as NodeJS.WriteStream, screen as unknown as NodeJS.WriteStream);
  output.redrawLines(['a']);
  output.clearLine();
  output.text('text');
  expect(screen.shown).toEqual(['']);
});

test.each([
  ['a file or a pipe', false, 'text', 'text'],
  ['a terminal', true, 'text', 'text\n'],
  ['a terminal, a text that ends its last line', true, 'text\n', 'text\n'],
])('a whole text to %s', (_title, isTTY, given, written) => {
  const { stream, text } = captured({ isTTY });
  new Output(false, stream, stream).text(given);
  expect(text()).toBe(written);
});

test.each([
  [0, '0'], [-3, '-3'], [1_234_567, '1234567'], [Number.MAX_SAFE_INTEGER, '9007199254740991'], [0.123456, '0.1235'], [0.00002, '0.00002'], [1e-9, '1e-9'],
  [1e30, '1e+30'], [-1e30, '-1e+30'], [8e29, '8e+29'], [7.999999999999999e29, '8e+29'], [2 ** 60, '1.153e+18'], [1e308, '1e+308'], [NaN, 'NaN'], [-Infinity, '-Infinity'],
])('%d as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
