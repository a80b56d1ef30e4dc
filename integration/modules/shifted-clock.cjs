// Loaded before a service's own code: its time of day is off by as many milliseconds as a file says, and changes when the file does.
const { readFileSync } = require('node:fs');

const file = process.env.LOCKSTEP_TEST_CLOCK;
const RealDate = Date;
const offsetMs = () => {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
};
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offsetMs());
    else super(...args);
  }

  static now() {
    return RealDate.now() + offsetMs();
  }
};
