/**
 * KerasTuner's own tests of its server and its oracles, against a tuner. They come from a checkout of its public repository, of which nothing
 * lies here; the KerasTuner that they test is the installed one, and whatever it asks of an oracle goes over the wire.
 *
 *   git clone https://github.com/keras-team/keras-tuner && LOCKSTEP_KERASTUNER_REPO=$PWD/keras-tuner npm run test:interop -- keras-tuner-own
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './fixtures';
import { describeWithPython, runPython } from './foreign';
import { TunerProcess } from './tuner-process';

const HARNESS = join(ROOT, 'integration', 'clients', 'python', 'keras_tuner_own');
const TIMEOUT_MS = 1_200_000;
/** A study has an address of its own: the tests' workers dial an IP address, which names none. */
const STUDIES = 80;

/** What listed.json decides about the tests of a file, and why where they do not simply pass. */
interface Listed {
  /** Pass, having asked the tuner. */
  readonly served?: readonly string[];
  /** Pass without a call. */
  readonly client?: Readonly<Record<string, string>>;
  /** Fail, since the tuner does otherwise on purpose. */
  readonly different?: Readonly<Record<string, string>>;
  /** Have no server. */
  readonly notServed?: Readonly<Record<string, string>>;
}

interface Told {
  /** Tests of the checkout that the list lacks. */
  readonly unlisted: readonly string[];
  /** Tests of the list that the checkout lacks. */
  readonly absent: readonly string[];
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const listed = Object.entries(JSON.parse(readFileSync(join(HARNESS, 'listed.json'), 'utf8')) as Record<string, Listed>);
const count = (of: Readonly<Record<string, string>> | undefined): number => Object.keys(of ?? {}).length;
const expected = ({ served = [], client = {}, different = {} }: Listed): Readonly<Record<string, string>> =>
  Object.fromEntries([...[...served, ...Object.keys(client)].map((name): [string, string] => [name, 'passed']), ...Object.keys(different).map((name): [string, string] => [name, 'different'])]);

const checkout = process.env['LOCKSTEP_KERASTUNER_REPO'] ?? '';

function describeWithCheckout(title: string, body: () => void): void {
  if (checkout === '') describe.skip(`${title} (skipped: LOCKSTEP_KERASTUNER_REPO names no checkout of github.com/keras-team/keras-tuner)`, body);
  else describeWithPython(title, body);
}

describeWithCheckout("KerasTuner's own tests", () => {
  const tuner = new TunerProcess(Array.from({ length: STUDIES }, (_, i) => ['--keras-tuner', `127.0.0.1:0=kt-${i}`]).flat());
  let told: Told;

  beforeAll(async () => {
    await tuner.start();
    const args = ['--checkout', checkout, '--tuner', tuner.address, '--oracles', (await tuner.kerasAddresses()).join(), '--protos', join(ROOT, 'protos')];
    const { stdout } = await runPython(join(HARNESS, 'run.py'), args, { timeoutMs: TIMEOUT_MS });
    told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Told;
  }, TIMEOUT_MS);
  afterAll(() => tuner.stop());

  test('each of them is decided about', () => {
    expect([told.unlisted, told.absent]).toEqual([[], []]);
  });

  test.each(listed.map(([file, entry]) => [
    `${file}: ${entry.served?.length ?? 0} served, ${count(entry.client)} without a call, ${count(entry.different)} different on purpose, ${count(entry.notServed)} that no server can run`, file, entry,
  ] as const))('%s', (_title, file, entry) => {
    expect(told.outcomes[file]).toEqual(expected(entry));
  });
});
