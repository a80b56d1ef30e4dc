/** Studies and trials as a tuner sends them. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Direction, Origin, ParameterValueSchema, StudyEventSchema, StudySchema, TrialSchema, type ParameterValue, type Study, type StudyEvent, type StudySpecSchema, type Trial } from '@lockstep/contract';

const NAME = 'studies/s';

export const PARAMETERS: NonNullable<NonNullable<MessageInitShape<typeof StudySpecSchema>['space']>['value']> & { readonly parameters: object[] } = {
  parameters: [
    { name: 'rate', kind: { case: 'floatRange', value: { min: 1e-4, max: 0.1, sampling: 2, defaultValue: 0.01 } } },
    { name: 'units', kind: { case: 'intRange', value: { min: 8n, max: 64n, step: 8n, sampling: 1, defaultValue: 8n } } },
    { name: 'drop', kind: { case: 'flag', value: { defaultValue: false } } },
    { name: 'drop_rate', conditions: [{ parent: 'drop', values: [{ kind: { case: 'boolValue', value: true } }] }], kind: { case: 'floatRange', value: { min: 0.1, max: 0.5, sampling: 1, defaultValue: 0.1 } } },
  ],
};

export const study = (spec: MessageInitShape<typeof StudySpecSchema> = {}, state: Study['state']['case'] = 'active'): Study => create(StudySchema, {
  name: NAME,
  spec: { space: { case: 'searchSpace', value: PARAMETERS }, objectives: [{ metric: 'val_loss', direction: Direction.MIN }], algorithm: { case: 'randomSearch', value: {} }, ...spec },
  state: stateOf(state),
});

function stateOf(state: Study['state']['case']): MessageInitShape<typeof StudySchema>['state'] {
  switch (state) {
    case 'completed': return { case: state, value: { detail: 'all trials have been suggested' } };
    case 'failed': return { case: state, value: { error: '3 trials failed in a row' } };
    case 'stopped': return { case: state, value: {} };
    case 'active':
    case undefined: return { case: 'active', value: {} };
  }
}

/** Values by name: numbers with a fraction are floats, others integers. */
export const valuesOf = (values: Readonly<Record<string, number | string | boolean>>): ParameterValue[] => Object.entries(values).map(([name, value]) => create(ParameterValueSchema, { name, value: { kind: kindOf(value) } }));

function kindOf(value: number | string | boolean): NonNullable<MessageInitShape<typeof ParameterValueSchema>['value']>['kind'] {
  if (typeof value === 'string') return { case: 'stringValue', value };
  if (typeof value === 'boolean') return { case: 'boolValue', value };
  return Number.isInteger(value) ? { case: 'intValue', value: BigInt(value) } : { case: 'floatValue', value };
}

type TrialInit = Exclude<MessageInitShape<typeof TrialSchema>, Trial>;

export const trial = (number: number, state: TrialInit['state'], more: Omit<TrialInit, 'state' | 'name'> = {}): Trial =>
  create(TrialSchema, { name: `${NAME}/trials/${number}`, origin: Origin.ALGORITHM, attempts: 1, state, ...more });

export const running = { case: 'running', value: { holder: 'a client' } } as const;
export const succeeded = (...scores: number[]) => ({ case: 'succeeded', value: { scores } }) as const;

/** An event, so many seconds after the first. */
export const event = (seconds: number, what: Exclude<MessageInitShape<typeof StudyEventSchema>, StudyEvent>['event']): StudyEvent =>
  create(StudyEventSchema, { study: NAME, time: timestampFromMs(1_700_000_000_000 + seconds * 1000), event: what });

export const changed = (seconds: number, value: Trial): StudyEvent => event(seconds, { case: 'trialChanged', value });

export const measured = (seconds: number, number: number, epoch: number, metrics: Readonly<Record<string, number>>): StudyEvent =>
  event(seconds, { case: 'trialMeasured', value: { trial: `${NAME}/trials/${number}`, measurement: { epoch, metrics: Object.entries(metrics).map(([name, value]) => ({ name, value })) } } });
