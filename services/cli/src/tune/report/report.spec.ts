import { Direction, type Trial } from '@lockstep/contract';
import { studyReport } from './report';
import { html } from './html';
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

/** The insides of the drawings, in their order. */
const drawings = (page: string): readonly string[] => page.split('aria-label=').slice(1).map((part) => part.slice(0, part.indexOf('</svg>')));

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
  const [coordinates = '', curves = ''] = drawings(page);
  expect(coordinates.match(/<path class="line"/g)).toHaveLength(4);
  expect(coordinates.match(/<line class="axis"/g)).toHaveLength(5);
  expect(curves.match(/<path class="line"/g)).toHaveLength(1);
  expect(curves.match(/<circle class="dot"/g)).toHaveLength(1);
});

test('a trial has a mark wherever it has a value, also where its neighbours have none; a dotted line leads over the others', () => {
  const [coordinates = ''] = drawings(studyReport(study({}, 'completed'), SOME));
  const drawn = [...coordinates.matchAll(/<title>trial (\d)[^<]*<\/title><path class="line" d="([^"]*)"\/>(?:<path class="line gap" d="([^"]*)"\/>)?<path class="mark" d="([^"]*)"/g)];
  const shapes = new Map(drawn.map(([, number, line = '', gap = '', marks = '']) => [Number(number), { parts: line.split('M').length - 1, points: line.match(/[ML]/g)?.length, gaps: gap.split('M').length - 1, marks: marks.match(/M[\d.]+ [\d.]+h0/g)?.length }]));
  // rate, units, drop, drop_rate where drop is true, val_loss.
  const whole = { parts: 1, points: 5, gaps: 0, marks: 5 };
  const without = { parts: 2, points: 4, gaps: 1, marks: 4 };
  expect([0, 1, 2, 3].map((number) => shapes.get(number))).toEqual([without, whole, whole, without]);
});

test('an only value between parameters that are not active is marked on its axis', () => {
  const choice = (values: readonly string[]) => ({ case: 'choice' as const, value: { values: values.map((value) => ({ kind: { case: 'stringValue' as const, value } })) } });
  const only = (parent: string, value: string) => [{ parent, values: [{ kind: { case: 'stringValue' as const, value } }] }];
  const range = { case: 'floatRange' as const, value: { min: 0, max: 1 } };
  const parameters = [{ name: 'momentum_first', kind: range }, { name: 'optimizer', kind: choice(['sgd', 'adam']) }, { name: 'momentum', kind: range, conditions: only('optimizer', 'sgd') }, { name: 'same', kind: choice(['one']) }];
  const trials = [trial(0, succeeded(1), { values: valuesOf({ optimizer: 'adam', same: 'one' }) }), trial(1, succeeded(2), { values: valuesOf({ momentum_first: 0.25, optimizer: 'sgd', momentum: 0.5, same: 'one' }) })];
  const page = studyReport(study({ space: { case: 'searchSpace', value: { parameters } } }, 'completed'), trials);
  const [coordinates = ''] = drawings(page);
  const marks = new Map([...coordinates.matchAll(/<title>trial (\d)[^<]*<\/title>.*?<path class="mark" d="([^"]*)"/g)].map(([, number, d = '']) => [number, [...d.matchAll(/M([\d.]+) /g)].map(([, x]) => x)]));
  const axes = [...coordinates.matchAll(/<line class="axis" x1="(\d+)"/g)].map(([, x]) => x);
  expect(axes).toHaveLength(4);
  expect(marks).toEqual(new Map([['0', [axes[1], axes[3]]], ['1', axes]]));
  expect(page).toContain('Without an axis, as there is one value only: same.');
});

test('one score that is far off neither flattens the others nor makes their lines equal', () => {
  const scores = [0.43, 0.44, 0.45, 0.46, 0.47, 1e30];
  const trials = scores.map((score, i) => trial(i, succeeded(score), { values: valuesOf({ rate: 0.01, units: 8, drop: false }), measurements: [1, 2].map((epoch) => ({ epoch, metrics: [{ name: 'val_loss', value: score }] })) }));
  const page = studyReport(study({}, 'completed'), trials);
  const [coordinates = '', curves = ''] = drawings(page);
  const heights = new Map([...coordinates.matchAll(/<title>trial (\d).*?h0M540 ([\d.]+)h0"/g)].map(([, number, y]) => [Number(number), Number(y)]));
  for (const i of [1, 2, 3, 4, 5]) expect((heights.get(i - 1) ?? NaN) - (heights.get(i) ?? NaN)).toBeGreaterThan(15);
  expect([...coordinates.matchAll(/--rank:([\d.]+)/g)].map(([, rank]) => Number(rank))).toEqual([1, 0.8, 0.6, 0.4, 0.2, 0]);
  expect(coordinates).toContain('>1 above<');
  expect(curves).toContain('>above<');
  expect(page).toContain('Values of val_loss that lie outside the scale: 1 above, up to 1e+30.');
  expect(page).toContain('Values of val_loss that lie outside the scale: 2 above, up to 1e+30.');
});

test('why trials came to nothing is told once for all that say the same', () => {
  const failed = (i: number, error: string): Trial => trial(i, { case: 'failed', value: { error } });
  const page = studyReport(study({}, 'failed'), [failed(0, 'out of memory\n  at fit'), trial(1, { case: 'infeasible', value: { reason: 'too <wide>' } }), ...Array.from({ length: 29 }, (_, i) => failed(i + 2, 'out of memory\n  at fit'))]);
  elements(page);
  expect(page).toContain('<p>30 trials (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 and 10 more) failed:</p>\n<pre>out of memory\n  at fit</pre>');
  expect(page).toContain('<p>Trial 1 infeasible:</p>\n<pre>too &lt;wide&gt;</pre>');
  expect(page).toContain('No trial has succeeded.');
  expect(page).not.toContain('The stronger a line');
});

test('many different reasons are cut, and said to be', () => {
  const page = studyReport(study({}, 'failed'), Array.from({ length: 50 }, (_, i) => trial(i, { case: 'failed', value: { error: `${i} ${'x'.repeat(100_000)}` } })));
  expect(page.match(/<pre>/g)).toHaveLength(20);
  expect(page).toContain('There are 30 more reasons');
  expect(page.length).toBeLessThan(100_000);
});

test('with several objectives the trials that no other beats are a table, and have the strong lines', () => {
  const objectives = [{ metric: 'loss', direction: Direction.MIN }, { metric: 'size', direction: Direction.MIN }];
  const page = studyReport(study({ objectives }, 'completed'), [[1, 1], [0.5, 3], [2, 2], [3, 0.25]].map(([loss = 0, size = 0], i) => trial(i, succeeded(loss, size), { values: valuesOf({ rate: 0.01, units: 8, drop: false }) })));
  const front = page.slice(page.indexOf('no other beats in every objective'), page.indexOf('<h2>Importance'));
  expect([...front.matchAll(/<tr><td>(\d)<\/td><td>([\d.]+)<\/td><td>([\d.]+)</g)].map(([, ...cells]) => cells)).toEqual([['0', '1', '1'], ['3', '3', '0.25'], ['1', '0.5', '3']]);
  expect([...drawings(page)[0]?.matchAll(/--rank:([\d.]+)"><title>trial (\d)/g) ?? []].map(([, rank, number]) => [number, rank]).sort()).toEqual([['0', '0'], ['1', '0'], ['2', '1'], ['3', '0']]);
});

test('learning curves are of the 100 best, and say so', () => {
  const trials = Array.from({ length: 120 }, (_, i) => trial(i, succeeded(i), { measurements: [1, 2].map((epoch) => ({ epoch, metrics: [{ name: 'val_loss', value: i / epoch }] })) }));
  const page = studyReport(study({}, 'completed'), trials);
  expect(page).toContain('The curves of the 100 best of 120 trials that succeeded.');
  expect(drawings(page)[1]?.match(/<path class="line"/g)).toHaveLength(100);
  expect(studyReport(study({}, 'completed'), trials.slice(0, 100))).not.toContain('The curves of the');
});

test('a study without trials says so, and nothing else', () => {
  const page = studyReport(study(), []);
  expect(page).toContain('No trial has been suggested yet.');
  expect(page).not.toMatch(/<h2>|<svg|<table|trials<\/dt>/);
});

test.each<[string, Parameters<typeof study>[0], readonly Trial[]]>([
  ['a study without trials', {}, []],
  ['a study that failed in all trials', {}, [trial(0, { case: 'failed', value: { error: 'e' } })]],
  ['a space that nobody knows yet', { space: { case: 'discovery', value: {} } }, [trial(0, { case: 'running', value: {} })]],
  ['one trial', {}, SOME.slice(0, 1)],
  ['scores that are all the same', {}, SOME.slice(0, 4).map((one) => ({ ...one, state: { case: 'succeeded', value: { $typeName: 'lockstep.tuner.v1.TrialSucceeded', scores: [0] } } }) satisfies Trial)],
  ['two objectives', { objectives: [{ metric: 'val_loss', direction: Direction.MIN }, { metric: 'acc', direction: Direction.MAX }] }, SOME.slice(0, 4).map((one, i) => ({ ...one, state: { case: 'succeeded', value: { $typeName: 'lockstep.tuner.v1.TrialSucceeded', scores: [i, i] } } }) satisfies Trial)],
  ['a study of constants', { space: { case: 'searchSpace', value: { parameters: [{ name: 'same', kind: { case: 'constant', value: { value: { kind: { case: 'intValue', value: 1n } } } } }] } } }, SOME.slice(0, 4)],
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
