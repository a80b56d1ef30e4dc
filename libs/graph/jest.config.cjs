// TensorFlow reads it from the process, which a test file's own process.env does not reach.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
module.exports = require('../../jest.base.cjs')(__dirname);
