import { DescriptorWatch } from './descriptor-watch';

test('says once that there are none left, and once that there are some again', () => {
  const said: string[] = [];
  let failure: Error | undefined;
  const watch = new DescriptorWatch(
    { error: (text: string) => void said.push(text), info: (text: string) => void said.push(text) } as never,
    () => { if (failure) throw failure; },
  );
  watch.check();
  failure = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  for (let i = 0; i < 3; i++) watch.check();
  failure = undefined;
  for (let i = 0; i < 3; i++) watch.check();
  expect(said).toEqual([expect.stringMatching(/no file descriptors left.*ulimit -n/), expect.stringMatching(/again/)]);
  failure = new Error('something else');
  expect(() => watch.check()).toThrow('something else');
});
