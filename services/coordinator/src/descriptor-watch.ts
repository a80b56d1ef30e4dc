import { closeSync, openSync } from 'node:fs';
import type { Logger } from '@lockstep/rpc';
import { isOutOfDescriptors } from './out-of-descriptors';

/**
 * Says when this process has no file descriptors left. Nothing else would: the system closes new connections before anybody
 * hears of them, while sessions that are open go on.
 */
export class DescriptorWatch {
  private out = false;

  /** @param take takes a descriptor and gives it back. @throws what the system throws when there is none */
  constructor(private readonly logger: Pick<Logger, 'error' | 'info'>, private readonly take: () => void = takeOne) {}

  check(): void {
    const out = !this.canTake();
    if (out && !this.out) {
      this.logger.error('the coordinator has no file descriptors left: new connections are closed as they come, sessions that are open go on. Raise the limit of its process (ulimit -n); each worker takes two and each client one');
    } else if (!out && this.out) {
      this.logger.info('there are file descriptors again: new connections are taken');
    }
    this.out = out;
  }

  private canTake(): boolean {
    try {
      this.take();
      return true;
    } catch (e) {
      if (isOutOfDescriptors(e)) return false;
      throw e;
    }
  }
}

const takeOne = (): void => closeSync(openSync('/', 'r'));
