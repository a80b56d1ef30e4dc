// Reads single members of a zip file (PKWARE APPNOTE 6.3.9, without zip64 and encryption), as streams: a wheel's libraries are
// hundreds of megabytes.
import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { NativeProblem } from './problem.mjs';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const END_SIZE_MAX_BYTES = 22 + 0xffff;
const STORED = 0;
const DEFLATED = 8;
const CHUNK_BYTES = 1 << 20;

function readAt(fd, offset, sizeBytes) {
  const buffer = Buffer.alloc(sizeBytes);
  const read = fs.readSync(fd, buffer, 0, sizeBytes, offset);
  if (read !== sizeBytes) throw new NativeProblem('wheel', `the wheel ends at byte ${offset + read}, ${sizeBytes - read} bytes too early; download it again with --force`);
  return buffer;
}

/**
 * The members that the central directory of `file` lists.
 * @returns {{name: string, method: number, packedBytes: number, sizeBytes: number, headerOffset: number}[]}
 */
export function readZipDirectory(file) {
  const fd = fs.openSync(file, 'r');
  try {
    const fileBytes = fs.fstatSync(fd).size;
    const tailBytes = Math.min(fileBytes, END_SIZE_MAX_BYTES);
    const tail = readAt(fd, fileBytes - tailBytes, tailBytes);
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
    if (end < 0) throw new NativeProblem('wheel', `${path.basename(file)} is not a zip file; download it again with --force`);
    const directory = readAt(fd, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    const members = [];
    for (let at = 0; at < directory.length;) {
      if (directory.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new NativeProblem('wheel', `${path.basename(file)} has a damaged directory at byte ${at}; download it again with --force`);
      const nameBytes = directory.readUInt16LE(at + 28);
      members.push({
        name: directory.toString('utf8', at + 46, at + 46 + nameBytes),
        method: directory.readUInt16LE(at + 10),
        packedBytes: directory.readUInt32LE(at + 20),
        sizeBytes: directory.readUInt32LE(at + 24),
        headerOffset: directory.readUInt32LE(at + 42),
      });
      at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    return members;
  } finally {
    fs.closeSync(fd);
  }
}

/** Writes one member of `file` to `target`, whose folder is created; verifies its length. */
export async function extractZipMember(file, member, target) {
  const fd = fs.openSync(file, 'r');
  let start;
  try {
    const header = readAt(fd, member.headerOffset, 30);
    if (header.readUInt32LE(0) !== LOCAL_HEADER) throw new NativeProblem('wheel', `${member.name} has a damaged header; download the wheel again with --force`);
    start = member.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    fs.closeSync(fd);
  }
  fs.mkdirSync(path.dirname(target), { recursive: true });
  if (member.packedBytes === 0) {
    fs.writeFileSync(target, '');
    return;
  }
  const packed = fs.createReadStream(file, { start, end: start + member.packedBytes - 1, highWaterMark: CHUNK_BYTES });
  await pipeline(packed, unpacker(member), fs.createWriteStream(target));
  const { size } = fs.statSync(target);
  if (size !== member.sizeBytes) throw new NativeProblem('wheel', `${member.name} unpacked to ${size} bytes, not ${member.sizeBytes}; download the wheel again with --force`);
}

function unpacker(member) {
  if (member.method === DEFLATED) return zlib.createInflateRaw({ chunkSize: CHUNK_BYTES });
  if (member.method === STORED) return new PassThrough();
  throw new NativeProblem('wheel', `${member.name} is packed by method ${member.method}; only stored and deflated are read`);
}
