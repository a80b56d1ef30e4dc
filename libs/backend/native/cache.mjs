// Where libraries and compiled addons are kept, and the lock that spares two set-ups the same work.
//
// Invariants
// 1. What stands under its final name in the cache is complete: it was prepared beside it and renamed.
// 2. The lock saves work and is not needed for safety (1 is): stealing one that a dead process left can at worst repeat work.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NativeProblem } from './problem.mjs';

const LOCK_POLL_MS = 250;
const LOCK_TIMEOUT_MS = 15 * 60_000;

/** The user's cache of Lockstep's native parts: $LOCKSTEP_NATIVE_CACHE, else <user cache>/lockstep/native. */
export function cacheRoot(env) {
  if (isSet(env.LOCKSTEP_NATIVE_CACHE)) return path.resolve(env.LOCKSTEP_NATIVE_CACHE);
  const user = isSet(env.XDG_CACHE_HOME) ? path.resolve(env.XDG_CACHE_HOME) : path.join(os.homedir(), '.cache');
  return path.join(user, 'lockstep', 'native');
}

const isSet = (value) => value !== undefined && value !== '';

/** Creates the cache folder that `variable` can move; a folder that cannot be written is the user's to fix. */
export function openCache(root, variable) {
  try {
    fs.mkdirSync(root, { recursive: true });
    fs.accessSync(root, fs.constants.W_OK);
  } catch (error) {
    throw new NativeProblem('disk', `the cache folder ${root} cannot be written (${error.code}); set ${variable} to a folder that can`);
  }
}

/**
 * Runs `work` while no other process of this user does the same.
 * @template T
 * @param {string} root
 * @param {(holder: string) => void} onWait called once when another process holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, onWait, work) {
  const file = path.join(root, '.lock');
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  const mine = JSON.stringify({ pid: process.pid, host: os.hostname() });
  for (let waited = false; !tryCreate(file, mine);) {
    const holder = readHolder(file);
    if (holder === undefined) continue; // released in between
    if (holder.stale) { fs.rmSync(file, { force: true }); continue; }
    if (Date.now() > deadline) {
      throw new NativeProblem('locked', `waited ${LOCK_TIMEOUT_MS / 60_000} minutes for ${holder.name}, which holds ${file}; remove that file if the process is gone`);
    }
    if (!waited) { waited = true; onWait(holder.name); }
    await delay(LOCK_POLL_MS);
  }
  // process.exit() skips the finally below.
  const release = () => { if (readText(file) === mine) fs.rmSync(file, { force: true }); };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

function tryCreate(file, text) {
  const prepared = `${file}.${process.pid}`;
  fs.writeFileSync(prepared, text);
  try {
    fs.linkSync(prepared, file); // appears with its text, so that nobody reads an empty holder
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(prepared, { force: true });
  }
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function readHolder(file) {
  const text = readText(file);
  if (text === undefined) return undefined;
  const { pid, host } = JSON.parse(text);
  return { name: `process ${pid} on ${host}`, stale: host === os.hostname() && !isAlive(pid) };
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Puts `prepared` (a file or folder in the same file system) in the place of `target` (invariant 1). */
export function publish(prepared, target) {
  const old = `${target}.old-${process.pid}`;
  const replaced = fs.existsSync(target) && fs.statSync(target).isDirectory();
  if (replaced) fs.renameSync(target, old);
  fs.renameSync(prepared, target);
  if (replaced) fs.rmSync(old, { recursive: true, force: true });
}
