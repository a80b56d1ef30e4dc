import { fromLedger, JobTables, type CoordinatorClient } from '@lockstep/client';
import type { TallySummary } from '@lockstep/sharding';
import { EXIT, type ExitCode } from '../cli-error';
import type { Output } from '../output';
import { LedgerVerifier, type CallVerdict, type VerifiedCall } from '../verify-ledger';

/** Compares what a job's committed steps consumed with its plan, and says what was compared. */
export async function verifyJob(client: CoordinatorClient, name: string, output: Output): Promise<ExitCode> {
  // Steps that are committed later are not looked at: the job may run on.
  const job = await client.get(name);
  const verifier = new LedgerVerifier(new JobTables(await client.shardTables(name)), job.spec?.replicas ?? 1);
  if (job.committedSteps > 0n) {
    for await (const event of client.watch(name)) {
      verifier.follow(event);
      if (BigInt(verifier.steps) >= job.committedSteps) break;
    }
  }
  const calls = verifier.verify();
  const ledger = fromLedger(job.ledger);
  const addsUp = same(verifier.consumed, ledger) && BigInt(verifier.steps) === job.committedSteps;
  output.document({ job: name, steps: verifier.steps, ledger: shown(ledger), eventsAddUp: addsUp, calls: calls.map(toDocument) });
  output.table(['call', 'what', 'steps', 'records', 'against the plan'], calls.map(({ call, label, steps, consumed, verdict }) =>
    [String(call), label, String(steps), String(consumed.records), inWords(verdict)]));
  output.line();
  output.line(`${job.committedSteps} committed steps consumed ${ledger.records} records, hash ${shown(ledger).sum}`);
  if (!addsUp) output.line(`the events tell of ${verifier.steps} steps and ${verifier.consumed.records} records, hash ${shown(verifier.consumed).sum}: they do not add up to the job's ledger`);
  const differing = calls.filter(({ verdict }) => verdict.kind === 'DIFFERS').length;
  const unknown = calls.filter(({ verdict }) => verdict.kind === 'UNKNOWN').length;
  output.line(conclusion(calls.length, differing, unknown));
  return addsUp && differing === 0 ? EXIT.OK : EXIT.FAILED;
}

function conclusion(calls: number, differing: number, unknown: number): string {
  if (differing > 0) return `${differing} of ${calls} calls consumed other records than planned: records were left out, read twice, or taken for others`;
  if (unknown === calls) return 'nothing was compared: which records should have been read only the module knows';
  const compared = 'compared with the shard tables, the spec and the positions of the steps: every record was consumed as often as planned';
  return unknown === 0 ? compared : `${calls - unknown} of ${calls} calls ${compared}; the others cannot be planned`;
}

function inWords(verdict: CallVerdict): string {
  switch (verdict.kind) {
    case 'AS_PLANNED': return 'as planned';
    case 'DIFFERS': return `differs: planned ${verdict.planned.records} records, hash ${shown(verdict.planned).sum}`;
    case 'UNKNOWN': return `not known: ${verdict.why}`;
  }
}

const same = (a: TallySummary, b: TallySummary): boolean => a.records === b.records && a.sum === b.sum;

const shown = ({ records, sum }: TallySummary): { readonly records: number; readonly sum: string } => ({ records, sum: sum.toString(16).padStart(16, '0') });

const toDocument = ({ consumed, verdict, ...call }: VerifiedCall): object => ({
  ...call, consumed: shown(consumed), verdict: verdict.kind === 'DIFFERS' ? { kind: verdict.kind, planned: shown(verdict.planned) } : verdict,
});
