/** The tuner as its users run it. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { removeTemporaryFolders, temporaryFolder } from '@lockstep/storage/testing';
import { SqlStudyStore } from './store/sql-study-store';

removeTemporaryFolders();

const MAIN = path.join(__dirname, '..', 'dist', 'main.js');
const run = (...args: readonly string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 60_000 });

test('--help is answered, and a bad flag is one sentence with exit code 2', () => {
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('usage: tuner') });
  const { status, stderr } = run('--suggestion-threads', 'many');
  expect([status, stderr]).toEqual([2, '--suggestion-threads "many" is not a whole number from 1 to 64\n']);
});

test('a data folder that another tuner has is refused, with its pid', async () => {
  const folder = temporaryFolder();
  const store = await SqlStudyStore.openFolder(folder, '0');
  try {
    const { status, stderr } = run('--listen', '127.0.0.1:0', '--data', folder);
    expect([status, stderr]).toEqual([1, expect.stringContaining(String(process.pid))]);
  } finally {
    await store.close();
  }
});

test('a database that is not there is one sentence that names it', () => {
  const { status, stderr } = run('--listen', '127.0.0.1:0', '--database', 'postgres://user:secret@127.0.0.1:1/nothing');
  expect(status).toBe(1);
  expect(stderr).toMatch(/127\.0\.0\.1:1/);
  expect(stderr).not.toContain('secret');
});
