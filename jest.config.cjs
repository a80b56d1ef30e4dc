const fs = require('node:fs');
const path = require('node:path');
const projects = ['libs', 'services']
  .flatMap((group) => fs.readdirSync(path.join(__dirname, group)).map((name) => path.join(__dirname, group, name)))
  .concat(path.join(__dirname, 'integration'))
  .filter((dir) => fs.existsSync(path.join(dir, 'jest.config.cjs')));
module.exports = { projects, maxWorkers: 2, reporters: ['default', path.join(__dirname, '.ci', 'count-reporter.cjs')] };
