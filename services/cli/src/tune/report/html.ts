/** Markup of a report. Names, values and messages are others' texts: they get into it through these functions alone. */

/** Markup that is as it should be. */
export interface Html {
  readonly html: string;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' };

/** What XML and HTML cannot hold, escaped or not. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (text: string): string => text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);

type Part = Html | string | number | readonly Html[];

/** A template of markup: texts in it are escaped, numbers have at most three decimals, markup stays as it is. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: literals.reduce((all, literal, i) => all + (i === 0 ? '' : render(parts[i - 1] ?? '')) + literal, '') };
}

function render(part: Part): string {
  if (typeof part === 'string') return escaped(part);
  if (typeof part === 'number') return String(Math.round(part * 1000) / 1000);
  return 'html' in part ? part.html : part.map((each) => each.html).join('');
}
