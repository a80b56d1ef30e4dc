// What is built from what: every version and hash of the native set-up stands here and nowhere else.

/** The TensorFlow whose C library the addon links. */
export const TENSORFLOW_VERSION = '2.21.0';

/** The npm package whose addon sources are compiled, unchanged. */
export const ADDON_PACKAGE = { name: '@tensorflow/tfjs-node', version: '4.22.0', napi: 8 };

/**
 * The PyPI wheels that carry libtensorflow and its headers. pip refuses a file of another sha256.
 * The C library does not depend on Python: the tags choose one wheel, whatever python3 runs pip.
 */
export const WHEELS = {
  cpu: {
    distribution: 'tensorflow-cpu',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    downloadMegabytes: 270,
  },
  gpu: {
    distribution: 'tensorflow',
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    downloadMegabytes: 572,
  },
};

export const WHEEL_TAGS = [
  '--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--platform', 'manylinux_2_27_x86_64',
];
