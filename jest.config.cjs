const fs = require('node:fs');
const path = require('node:path');
const projects = ['libs', 'services']
  .flatMap((group) => fs.readdirSync(path.join(__dirname, group)).map((name) => path.join(__dirname, group, name)))
  .concat(path.join(__dirname, 'integration'))
  .filter((dir) => fs.existsSync(path.join(dir, 'jest.config.cjs')));
// With several projects Jest takes the time limit from here alone.
module.exports = { projects, testTimeout: 180_000, maxWorkers: 2, reporters: ['default', path.join(__dirname, '.ci', 'count-reporter.cjs')] };
