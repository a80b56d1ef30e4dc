import { kerasListener, takenListeners } from './keras-listeners';

test('listeners are collected', () => {
  expect(kerasListener('[::1]:7501', kerasListener('127.0.0.1:7500=my-study'))).toEqual(['127.0.0.1:7500=my-study', '[::1]:7501']);
});

test.each(['7500', 'my-study', '127.0.0.1:7500=My_Study', '127.0.0.1:7500=', '127.0.0.1:70000', 'a:1=b=c', 'a:1,b:2', ''])('%j is refused', (text) => {
  expect(() => kerasListener(text)).toThrow('must be HOST:PORT=STUDY');
});

test('any free port becomes the one that was taken', () => {
  expect(takenListeners(['127.0.0.1:0=a', '127.0.0.1:7500', 'h:0=b'], '127.0.0.1:41001,127.0.0.1:7500,h:41002')).toEqual(['127.0.0.1:41001=a', '127.0.0.1:7500', 'h:41002=b']);
  expect(takenListeners([], undefined)).toEqual([]);
});
