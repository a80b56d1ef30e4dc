import { loadCommands } from './load-commands';

const run = () => Promise.resolve();
const names = (first: string | undefined): readonly string[] => loadCommands(first, run).map((command) => command.name());
const ALL = ['up', 'train', 'tune', 'jobs', 'studies', 'workers', 'artifacts', 'examples', 'doctor'];

test.each(ALL)('a command line that begins with %s loads that command', (name) => {
  expect(names(name)).toEqual([name]);
});

test.each([[undefined], ['help'], ['job'], ['toString'], ['']])('%j names none: all are there, for help and suggestions', (first) => {
  expect(names(first)).toEqual(ALL);
});
