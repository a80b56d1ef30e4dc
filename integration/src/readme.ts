/** A fenced block of the README, with what the comment before it tells the test. */
export type ReadmeBlock =
  | { readonly kind: 'COMMANDS'; readonly line: number; readonly text: string }
  | { readonly kind: 'BACKGROUND'; readonly line: number; readonly text: string; readonly readyWord: string }
  | { readonly kind: 'PYTHON'; readonly line: number; readonly text: string }
  | { readonly kind: 'FILE'; readonly line: number; readonly text: string; readonly name: string };

const BLOCK = /(?:<!-- test: ([^>]*) -->\n)?```(sh|ts)\n([\s\S]*?)```/g;

/** The blocks that can be run, in order. @throws Error for a block that the test would not know how to run */
export function readmeBlocks(markdown: string): readonly ReadmeBlock[] {
  return [...markdown.matchAll(BLOCK)].map((match): ReadmeBlock => {
    const [, hint, language, text = ''] = match;
    const line = markdown.slice(0, match.index).split('\n').length;
    const background = /^background, wait for "(.+)"$/.exec(hint ?? '');
    const file = /^file (\S+)$/.exec(hint ?? '');
    if (background) return { kind: 'BACKGROUND', line, text, readyWord: background[1] ?? '' };
    if (file) return { kind: 'FILE', line, text, name: file[1] ?? '' };
    if (hint === 'python') return { kind: 'PYTHON', line, text };
    if (hint === undefined && language === 'sh') return { kind: 'COMMANDS', line, text };
    throw new Error(`README.md:${line}: no test knows how to run this block (${hint ?? language ?? ''})`);
  });
}
