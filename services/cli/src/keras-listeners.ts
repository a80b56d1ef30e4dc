/** Ports of the tuner for KerasTuner's workers, as `--keras-tuner` names them: HOST:PORT=STUDY, or HOST:PORT for all studies. */
import { isStudyId } from '@lockstep/search';
import { InvalidArgumentError } from 'commander';

const LISTENER = /^[^=,\s]+:(?<port>\d{1,5})(?:=(?<study>.*))?$/;
const MAX_PORT = 65_535;

/** One more, of a flag that may be repeated. */
export function kerasListener(text: string, before: readonly string[] = []): readonly string[] {
  const { port, study } = LISTENER.exec(text)?.groups ?? {};
  if (port === undefined || Number(port) > MAX_PORT || (study !== undefined && !isStudyId(study))) throw new InvalidArgumentError('must be HOST:PORT=STUDY, or HOST:PORT for every study under the host name that begins with its id.');
  return [...before, text];
}

/**
 * The same with the ports that were taken, which a tuner that is started again takes again.
 *
 * @param addresses of the listeners, with commas, in their order; undefined without any
 */
export function takenListeners(listeners: readonly string[], addresses: string | undefined): readonly string[] {
  const taken = addresses?.split(',') ?? [];
  return listeners.map((listener, i) => {
    const [given = '', study] = listener.split('=');
    const address = taken[i] ?? given;
    return study === undefined ? address : `${address}=${study}`;
  });
}
