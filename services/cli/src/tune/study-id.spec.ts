import { RpcError } from '@lockstep/rpc';
import { checkFree, checkStudyId } from './study-id';
import { study } from './testing/study-messages';

test.each(['a', '0', 'a-b', 'a'.repeat(63)])('%s is an id', (id) => {
  expect(() => checkStudyId(id)).not.toThrow();
});

test.each(['', 'Bad_Name', '-a', 'studies/a', 'a b', 'a'.repeat(64), 'größe'])('%s is none, and the flag is named', (id) => {
  expect(() => checkStudyId(id)).toThrow(`--name ${JSON.stringify(id)} is no id of a study`);
});

test('a name that is taken is refused, with what can be done', async () => {
  await expect(checkFree({ get: (name) => Promise.resolve({ ...study({}, 'completed'), name }) }, 'slope')).rejects.toMatchObject({
    message: 'studies/slope exists already: it is completed', hint: expect.stringMatching(/lockstep studies watch slope.*another --name/) as string,
  });
});

test('a name that is free is free; a tuner that cannot say is an error', async () => {
  await expect(checkFree({ get: () => Promise.reject(new RpcError('NOT_FOUND', 'there is none')) }, 'slope')).resolves.toBeUndefined();
  await expect(checkFree({ get: () => Promise.reject(new RpcError('UNAVAILABLE', 'away')) }, 'slope')).rejects.toThrow('away');
});
