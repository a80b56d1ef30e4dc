"""Writes golden.json: manifest digests and blob lengths, computed from the formats' descriptions without our code.

Run: python3 golden.py > golden.json
"""
import hashlib
import json
import struct


def sha(data):
    return hashlib.sha256(data).hexdigest()


def manifest(files):
    """files: {path: (mode, [blob bytes])}; the text format of src/manifest-codec.ts."""
    out = ['lockstep manifest 1']
    for path in sorted(files, key=lambda p: p.encode('utf-8')):
        mode, blobs = files[path]
        out.append('%04o %d %d %s' % (mode, sum(map(len, blobs)), len(blobs), path))
        out += ['%s %d' % (sha(b), len(b)) for b in blobs]
    return ('\n'.join(out) + '\n').encode('utf-8')


GEAR = [struct.unpack('>I', hashlib.sha256(b'lockstep gear %d' % i).digest()[:4])[0] for i in range(256)]
MIB = 1 << 20


def cut(data):
    """Lengths of the blobs of a file; src/blob-cutter.ts."""
    if len(data) <= 4 * MIB:
        return [len(data)] if data else []
    lengths, start = [], 0
    while start < len(data):
        rest = memoryview(data)[start:start + 4 * MIB]
        length = len(rest)
        if length > MIB:
            h = 0
            for i in range(MIB - 32, length):
                h = (h * 2 + GEAR[rest[i]]) & 0xffffffff
                if i < MIB:
                    continue
                zero_bits = 22 if i < 2 * MIB else 18
                if h >> (32 - zero_bits) == 0:
                    length = i + 1
                    break
        lengths.append(length)
        start += length
    return lengths


def noise(seed, size):
    """The same bytes everywhere."""
    return hashlib.shake_128(seed.encode()).digest(size)


FILES = {
    'one file': {'a.txt': (0o644, [b'hello'])},
    'an empty file': {'empty': (0o644, [])},
    'two blobs and an executable': {'bin/run': (0o755, [b'#!/bin/sh\n']), 'big': (0o644, [b'first', b'second'])},
    'order by bytes, not by UTF-16 units': {'\uff5e': (0o644, [b'1']), '\U0001f600': (0o644, [b'2']), 'Z': (0o644, [b'3']), 'a': (0o644, [b'4']), 'a-b': (0o644, [b'5'])},
}

print(json.dumps({
    'manifests': [{
        'title': title,
        'files': [{'path': p, 'mode': m, 'blobs': [b.decode() for b in blobs]} for p, (m, blobs) in files.items()],
        'digest': sha(manifest(files)),
    } for title, files in FILES.items()],
    'cuts': [{'seed': seed, 'sizeBytes': size, 'lengths': cut(noise(seed, size))} for seed, size in
             [('tiny', 1), ('at the limit', 4 * MIB), ('one more', 4 * MIB + 1), ('model', 24 * MIB + 12345)]],
}, indent=1))
