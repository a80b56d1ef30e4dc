import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeFolder, makeRoomFor } from './make-folder';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'lockstep-folder-spec-')); });
afterEach(() => rmSync(root, { recursive: true }));

test('a folder with its parents, once and again', () => {
  makeFolder(join(root, 'a', 'b', 'c'));
  makeFolder(join(root, 'a', 'b', 'c'));
  expect(existsSync(join(root, 'a', 'b', 'c'))).toBe(true);
});

test('room for a folder is made, the folder is not', () => {
  makeRoomFor(join(root, 'a', 'b'));
  expect(existsSync(join(root, 'a'))).toBe(true);
  expect(existsSync(join(root, 'a', 'b'))).toBe(false);
  makeRoomFor(root);
  expect(existsSync(root)).toBe(true);
});

test('a folder below a file is refused', () => {
  writeFileSync(join(root, 'file'), '');
  for (const make of [makeFolder, makeRoomFor]) expect(() => make(join(root, 'file', 'a'))).toThrow(`the folder ${join(root, 'file', 'a')} cannot be made: ENOTDIR`);
});

// Node.js's own recursive mkdir does not come back from there.
(process.platform === 'linux' ? test : test.skip).each(['/proc/x', '/proc/x/y'])('%s is refused at once', (folder) => {
  for (const make of [makeFolder, makeRoomFor]) expect(() => make(folder)).toThrow('the folder /proc/x cannot be made');
});
