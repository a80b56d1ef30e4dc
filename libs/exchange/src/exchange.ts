import fs from 'node:fs';
import path from 'node:path';
import { CollectiveError, type Collective } from '@lockstep/reduction';
import { Arena } from './arena/arena';
import { addStats, Counters, type ExchangeStats } from './group/counters';
import { formatGroup, validateGroup, type ExchangeGroup } from './group/exchange-group';
import { resolveOptions, type ExchangeOptions } from './options';
import { SharedCollective } from './shared-collective';
import { Control } from './thread/control';
import type { Request } from './thread/messages';
import { ThreadLine } from './thread/thread-line';

/** The exchange thread has a deadline of its own for a group that does not form, and says who is missing. */
const FORM_SLACK_MS = 10_000;

/** A worker's end of the data plane. */
export interface ExchangeHandle {
  /** host:port that peers dial. */
  readonly address: string;
  /**
   * Joins a generation; resolves when every pair of its members is connected. A collective of an older generation is over
   * from here on, and members that are still in it are told that they are fenced.
   *
   * @throws RangeError for a group that contradicts itself
   * @throws CollectiveError DEADLINE that names who is missing; FENCED when the generation is not newer than the last one, or a
   *   peer is in a newer one; PROTOCOL when a peer refuses this member; PEER_LOST when one ends while the group forms
   */
  configure(group: ExchangeGroup): Promise<Collective>;
  /**
   * The same, blocking the compute thread: between two attempts at a step nothing else may run on it.
   *
   * @throws as configure; CollectiveError CLOSED when a newer generation has been announced to the exchange thread
   */
  form(group: ExchangeGroup): Collective;
  /** What was moved since the exchange was created. */
  stats(): ExchangeStats;
  /** Leaves the group, stops listening, ends the thread. */
  close(): Promise<void>;
}

/**
 * Starts an exchange thread that listens. Its address is known before any assignment is.
 *
 * @throws RangeError that names all faulty options; Error when the port is taken
 */
export async function createExchange(options: ExchangeOptions = {}): Promise<ExchangeHandle> {
  const resolved = resolveOptions(options);
  const { line, address } = await ThreadLine.start(options.threadFile ?? defaultThreadFile(), { options: resolved }, options.threadExtra, options.threadTransfer ?? []);
  let counters = Counters.create(0);
  let before = counters.read();
  let last: SharedCollective | undefined;
  const prepare = (group: ExchangeGroup): { collective: SharedCollective; control: Control; request: Request } => {
    validateGroup(group);
    last?.supersede(new CollectiveError('CLOSED', `${formatGroup(group)} has replaced the generation of this collective`));
    before = addStats(before, counters.read());
    counters = Counters.create(group.members.length);
    const arena = Arena.create(resolved.arenaBytes);
    const control = Control.create();
    return {
      control, collective: new SharedCollective(group, resolved, line, arena, control),
      request: { kind: 'CONFIGURE', group, shared: { memory: arena.memory, control: control.memory, counters: counters.memory } },
    };
  };
  return {
    address,
    configure: async (group) => {
      const { collective, request } = prepare(group);
      await line.ask(request);
      last = collective;
      return collective;
    },
    form: (group) => {
      const { collective, control, request } = prepare(group);
      line.demand(request, control, resolved.connectTimeoutMs + FORM_SLACK_MS);
      last = collective;
      return collective;
    },
    stats: () => addStats(before, counters.read()),
    close: () => line.close(),
  };
}

/** The compiled entry lies beside this file, or, where this file runs from its source, in dist. */
function defaultThreadFile(): string {
  const beside = path.join(__dirname, 'thread', 'entry.js');
  return fs.existsSync(beside) ? beside : path.join(__dirname, '..', 'dist', 'thread', 'entry.js');
}
