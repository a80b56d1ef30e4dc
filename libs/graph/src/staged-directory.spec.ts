import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stageDirectory } from './staged-directory';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'lockstep-staged-')); });
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

describe('stageDirectory', () => {
  test.each(['new', 'new/parents/too'])('publishes to %s, which does not exist before', (name) => {
    const target = join(root, name);
    const staged = stageDirectory(target);
    writeFileSync(join(staged.path, 'file'), 'content');
    expect(existsSync(target)).toBe(false);
    staged.publish();
    staged.discard();
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('content');
    expect(readdirSync(join(target, '..'))).toHaveLength(1);
  });

  it('publishes to an empty directory', () => {
    const target = join(root, 'empty');
    mkdirSync(target);
    const staged = stageDirectory(target);
    writeFileSync(join(staged.path, 'file'), 'content');
    staged.publish();
    expect(readdirSync(target)).toEqual(['file']);
  });

  it('leaves nothing behind when discarded', () => {
    const staged = stageDirectory(join(root, 'gone'));
    writeFileSync(join(staged.path, 'file'), 'content');
    staged.discard();
    expect(readdirSync(root)).toEqual([]);
  });

  test.each([['a directory with files', (path: string) => { mkdirSync(path); writeFileSync(join(path, 'mine'), ''); }], ['a file', (path: string) => writeFileSync(path, 'mine')]])(
    'refuses %s',
    (_title, make) => {
      const target = join(root, 'mine');
      make(target);
      expect(() => stageDirectory(target)).toThrow(expect.objectContaining({ reason: 'DIRECTORY_EXISTS' }));
      expect(readdirSync(root)).toEqual(['mine']);
    },
  );
});
