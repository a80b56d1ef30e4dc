/**
 * Why the native backend cannot be built or used here. `reason` is for programs, `message` for people: what is
 * missing and what to do about it.
 */
export class NativeProblem extends Error {
  /**
   * @param {'opted-out' | 'bad-setting' | 'platform' | 'no-python' | 'no-pip' | 'no-compiler' | 'no-headers' | 'no-package'
   *   | 'download' | 'wheel' | 'compile' | 'does-not-load' | 'locked' | 'disk'} reason
   * @param {string} message
   */
  constructor(reason, message) {
    super(message);
    this.name = 'NativeProblem';
    this.reason = reason;
  }
}
