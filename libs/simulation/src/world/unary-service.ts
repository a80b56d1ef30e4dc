/** Calls that are answered once: over gRPC in the product. A call that is not answered may have been carried out. */
import type { Network } from './network';
import type { Random } from './random';
import type { SimProcess } from './sim-process';

const CALL_TIMEOUT_MS = 10_000;

/** What a caller learns. */
export type CallOutcome<Answer> = { readonly kind: 'ANSWERED'; readonly answer: Answer } | { readonly kind: 'UNAVAILABLE'; readonly why: string };

/** Carries a request out, and says what came of it. */
type Handler<Request, Answer> = (request: Request, settled: (outcome: CallOutcome<Answer>) => void) => void;

/** How often and how patiently calls are made again: as the artifact client does it. */
const ATTEMPTS = 9;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 3000;

export class UnaryService<Request, Answer> {
  private server: { readonly process: SimProcess; readonly handle: Handler<Request, Answer> } | undefined;
  /** Share of answers that are lost on their way: the caller asks again for what is done already. */
  answerLossChance = 0;

  constructor(
    private readonly network: Network,
    private readonly random: Random,
  ) {}

  serve(process: SimProcess, handle: Handler<Request, Answer>): void {
    this.server = { process, handle };
  }

  /** Makes a call until it is answered, or the caller's patience ends. */
  call(client: SimProcess, request: Request, settled: (outcome: CallOutcome<Answer>) => void): void {
    const attempt = (number: number, delayMs: number): void => {
      this.callOnce(client, request, (outcome) => {
        if (outcome.kind === 'ANSWERED' || number >= ATTEMPTS) settled(outcome);
        else client.after(delayMs, () => attempt(number + 1, Math.min(2 * delayMs, MAX_DELAY_MS)));
      });
    };
    attempt(1, FIRST_DELAY_MS);
  }

  private callOnce(client: SimProcess, request: Request, settled: (outcome: CallOutcome<Answer>) => void): void {
    const { network, server } = this;
    let over = false;
    const settle = (outcome: CallOutcome<Answer>): void => {
      if (over) return;
      over = true;
      client.run(() => settled(outcome));
    };
    const refuse = (why: string): void => {
      network.time.after(1, () => settle({ kind: 'UNAVAILABLE', why }));
    };
    if (!server?.process.alive) return refuse('nobody serves there');
    const { process, handle } = server;
    client.after(CALL_TIMEOUT_MS, () => settle({ kind: 'UNAVAILABLE', why: `no answer within ${CALL_TIMEOUT_MS} ms` }));
    process.onDeath(() => {
      if (!over) refuse('the service is gone');
    });
    const arrive = (settled: (outcome: CallOutcome<Answer>) => void): void => network.carry(client.host, process.host, () => process.run(() => handle(request, settled)));
    const againMs = network.repeatAfterMs();
    // Nobody reads the second answer.
    if (againMs !== undefined) network.time.after(againMs, () => arrive(() => undefined));
    return arrive((outcome) => {
      if (this.answerLossChance > 0 && this.random.chance(this.answerLossChance)) return refuse('the connection broke before the answer');
      return network.carry(process.host, client.host, () => settle(outcome));
    });
  }
}
