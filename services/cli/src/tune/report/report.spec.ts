import { Direction, type Trial } from '@lockstep/contract';
import { studyReport } from './report';
import { html } from './html';
import { axisOf } from './ticks';
import { study, succeeded, trial, valuesOf } from '../testing/study-messages';

const NASTY = '</title><script>alert(1)</script>"\' onload=x & größe 宽\u0000\ud800';

/** Elements in order, as a strict reader sees them. @throws Error where one is not closed, or an attribute is not quoted */
function elements(page: string): readonly { readonly name: string; readonly attributes: string }[] {
  const found: { name: string; attributes: string }[] = [];
  const open: string[] = [];
  for (const [tag, slash, name = '', attributes = '', selfClosed] of page.matchAll(/<(\/?)([a-z0-9]+)((?:\s+[a-z0-9-]+="[^"<>]*")*)\s*(\/?)>|<(?!!DOCTYPE html>)/gi)) {
    if (name === '') throw new Error(`a stray ${tag}`);
    if (slash === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes ${last ?? 'nothing'}`);
      continue;
    }
    found.push({ name, attributes });
    if (selfClosed !== '/' && name !== 'meta') open.push(name);
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  return found;
}

const SOME: readonly Trial[] = [
  trial(0, succeeded(0.5), { values: valuesOf({ rate: 0.01, units: 8, drop: false }), measurements: [1, 2, 3].map((epoch) => ({ epoch, metrics: [{ name: 'val_loss', value: 1 / epoch }] })) }),
  trial(1, succeeded(0.4), { values: valuesOf({ rate: 0.02, units: 64, drop: true, drop_rate: 0.5 }), measurements: [{ epoch: 1, metrics: [{ name: 'val_loss', value: 0.4 }] }] }),
  trial(2, succeeded(0.3), { values: valuesOf({ rate: 0.0001, units: 16, drop: true, drop_rate: 0.25 }) }),
  trial(3, succeeded(0.9), { values: valuesOf({ rate: 0.1, units: 32, drop: false }) }),
  trial(4, { case: 'failed', value: { error: 'out of memory' } }, { values: valuesOf({ rate: 0.05, units: 64, drop: false }) }),
];

test('one page: nothing is fetched, nothing runs, everything is closed', () => {
  const page = studyReport(study({}, 'completed'), SOME);
  const names = new Set(elements(page).map(({ name }) => name));
  expect([...names].filter((name) => ['script', 'link', 'img', 'iframe', 'object', 'use', 'image', 'a', 'form'].includes(name))).toEqual([]);
  expect(page).not.toMatch(/https?:|url\(|@import|\bon[a-z]+=/);
  expect(page).toContain('prefers-color-scheme: dark');
});

test('a line for each trial that succeeded, an axis for each parameter and objective, a curve for each that was measured', () => {
  const page = studyReport(study({}, 'completed'), SOME);
  const [coordinates = '', curves = ''] = page.split('aria-label=').slice(1).map((part) => part.slice(0, part.indexOf('</svg>')));
  expect(coordinates.match(/<path class="line"/g)).toHaveLength(4);
  expect(coordinates.match(/<line class="axis"/g)).toHaveLength(5);
  expect(curves.match(/<path class="line"/g)).toHaveLength(1);
  expect(curves.match(/<circle class="dot"/g)).toHaveLength(1);
  // The line of a trial without drop_rate breaks off there.
  expect(coordinates.match(/ d="M[^"]*M[^"]*"/g)).toHaveLength(2);
});

test.each<[string, Parameters<typeof study>[0], readonly Trial[]]>([
  ['a study without trials', {}, []],
  ['a study that failed in all trials', {}, [trial(0, { case: 'failed', value: { error: 'e' } })]],
  ['a space that nobody knows yet', { space: { case: 'discovery', value: {} } }, [trial(0, { case: 'running', value: {} })]],
  ['one trial', {}, SOME.slice(0, 1)],
  ['scores that are all the same', {}, SOME.slice(0, 4).map((one) => ({ ...one, state: { case: 'succeeded', value: { $typeName: 'lockstep.tuner.v1.TrialSucceeded', scores: [0] } } }) satisfies Trial)],
  ['two objectives', { objectives: [{ metric: 'val_loss', direction: Direction.MIN }, { metric: 'acc', direction: Direction.MAX }] }, SOME.slice(0, 4).map((one, i) => ({ ...one, state: { case: 'succeeded', value: { $typeName: 'lockstep.tuner.v1.TrialSucceeded', scores: [i, i] } } }) satisfies Trial)],
  ['values that are not of the space', {}, [trial(0, succeeded(1), { values: valuesOf({ rate: 99, units: 'many', other: 1 }) })]],
])('%s', (_title, spec, trials) => {
  const page = studyReport(study(spec, 'completed'), trials);
  elements(page);
  expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
});

test('what others named is text, wherever it stands', () => {
  const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });
  const parameters = [{ name: NASTY, kind: { case: 'choice' as const, value: { values: [text(NASTY), text('b')] } } }];
  const nasty = { ...study({ space: { case: 'searchSpace', value: { parameters } }, objectives: [{ metric: NASTY, direction: Direction.MIN }] }, 'failed'), name: `studies/${NASTY}`, state: { case: 'failed', value: { $typeName: 'lockstep.tuner.v1.StudyFailed', error: NASTY } } } as const;
  const trials = [...[0, 1, 2, 3, 4].map((i) => trial(i, succeeded(i), { values: valuesOf({ [NASTY]: i % 2 === 0 ? NASTY : 'b' }), measurements: [{ epoch: 1, metrics: [{ name: NASTY, value: i }] }] })), trial(5, { case: 'infeasible', value: { reason: NASTY } })];
  const page = studyReport(nasty, trials);
  expect(elements(page).some(({ name, attributes }) => name === 'script' || /\sonload=/.test(attributes.replace(/="[^"]*"/g, '=')))).toBe(false);
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; onload=x &amp; größe 宽\ufffd\ufffd');
  expect(page).not.toContain('<script');
});

test('10,000 trials give a page that a browser can hold', () => {
  const trials = Array.from({ length: 10_000 }, (_, i) => trial(i, succeeded(i), { values: valuesOf({ rate: 0.01, units: 8, drop: false }) }));
  const page = studyReport(study({}, 'completed'), trials);
  expect(page.length).toBeLessThan(1_500_000);
  expect(page).toContain('The first 1000 of 10000 trials');
});

test('templates escape texts and keep markup', () => {
  expect(html`<b title="${'"<&'}">${[html`<i>${'<'}</i>`, html`${1 / 3}`]}</b>`.html).toBe('<b title="&quot;&lt;&amp;"><i>&lt;</i>0.333</b>');
});

test.each([[[0, 10], [0, 2, 4, 6, 8, 10]], [[0.93, 0.98], [0.93, 0.94, 0.95, 0.96, 0.97, 0.98]], [[], [0, 0.2, 0.4, 0.6, 0.8, 1]], [[NaN, Infinity, 3], [2.8, 3, 3.2]], [[0], [-0.4, -0.2, 0, 0.2, 0.4]]])('ticks of %j', (values, ticks) => {
  const axis = axisOf(values);
  expect(axis.ticks.map((tick) => Number(tick.toFixed(6)) + 0)).toEqual(ticks);
});
