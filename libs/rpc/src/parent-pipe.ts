/** Set by whoever starts a service and wants it to end with itself: standard input is then a pipe whose end says so. */
export const PARENT_PIPE_VARIABLE = 'LOCKSTEP_PARENT_PIPE';

/** Calls `leave` once when the parent that asked for it is gone, however it ended. Does nothing for a service started by hand. */
export function leaveWithParent(leave: () => void): void {
  if (process.env[PARENT_PIPE_VARIABLE] !== '1') return;
  process.stdin.once('end', leave).once('error', leave);
  process.stdin.resume();
}
