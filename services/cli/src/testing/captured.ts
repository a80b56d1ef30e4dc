import { Writable } from 'node:stream';

/** A stream that keeps what it was given. */
export function captured({ isTTY = false }: { readonly isTTY?: boolean } = {}): { readonly stream: NodeJS.WriteStream; readonly text: () => string } {
  let text = '';
  const sink = new Writable({ decodeStrings: false, write: (chunk: string, _encoding, done) => { text += chunk; done(); } });
  return { stream: Object.assign(sink, { isTTY }) as unknown as NodeJS.WriteStream, text: () => text };
}
