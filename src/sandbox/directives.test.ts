import { describe, expect, it } from 'vitest';
import { readDirectives } from './directives.ts';

const NONE = { calls: [], refuse: false, filter: false, seals: false, changes: [] };

describe('readDirectives', () => {
  it.each([
    ['no brackets', 'hello', { text: 'hello' }],
    [
      'a call with arguments',
      '[[call get_weather {"city":"Oslo"}]] now',
      { text: 'now', calls: [{ name: 'get_weather', input: '{"city":"Oslo"}' }] },
    ],
    ['a call without arguments', '[[call now]]', { text: '', calls: [{ name: 'now' }] }],
    [
      'brackets and quotes inside the arguments',
      '[[call f {"a":[[1,2],[3]],"b":"]] \\" }"}]]',
      { text: '', calls: [{ name: 'f', input: '{"a":[[1,2],[3]],"b":"]] \\" }"}' }] },
    ],
    [
      'several calls in order',
      '[[call a {"x":1}]] [[call b {"x":2}]]',
      {
        text: '',
        calls: [
          { name: 'a', input: '{"x":1}' },
          { name: 'b', input: '{"x":2}' },
        ],
      },
    ],
    ['a free text for a custom tool', '[[call shell ls -l /tmp]]', { text: '', calls: [{ name: 'shell', input: 'ls -l /tmp' }] }],
    ['arguments that are not JSON are passed as they are', '[[call f {oops}]]', { text: '', calls: [{ name: 'f', input: '{oops}' }] }],
    [
      'a failure by status',
      '[[fail status=429 retry-after=2]] hi',
      { text: 'hi', changes: [{ trouble: { kind: 'status', status: 429, retryAfterMs: 2000 } }] },
    ],
    ['a bare failure is a 500', '[[fail]]', { text: '', changes: [{ trouble: { kind: 'status', status: 500 } }] }],
    [
      'a pause to retry after is a 429',
      '[[fail retry-after=1s]]',
      { text: '', changes: [{ trouble: { kind: 'status', status: 429, retryAfterMs: 1000 } }] },
    ],
    ['a failure in the words of the model names', '[[fail cut-after-3]]', { text: '', changes: [{ trouble: { kind: 'cut', after: 3 } }] }],
    ['a pace', '[[fail slow-50ms]]', { text: '', changes: [{ pace: { betweenMs: 50 } }] }],
    ['a task that takes its time', '[[task 30s]] a boat', { text: 'a boat', changes: [{ work: { takesMs: 30_000 } }] }],
    ['a task that fails', '[[task fail 1s]]', { text: '', changes: [{ work: { end: 'failed' } }, { work: { takesMs: 1000 } }] }],
    ['words that are no task', '[[task slow]] [[task]] [[task cut-after-3]]', { text: '[[task slow]] [[task]] [[task cut-after-3]]' }],
    ['a thought of its own', '[[think]] why?', { text: 'why?', think: '' }],
    ['a given thought', '[[think it is late]]', { text: '', think: 'it is late' }],
    ['words to say', '[[say 你好 [1] world]]', { text: '', say: '你好 [1] world' }],
    ['a number of words', '[[words 20]]', { text: '', words: 20 }],
    ['flags', '[[refuse]][[filter]][[seals]]', { text: '', refuse: true, filter: true, seals: true }],
    ['what is not known stays', 'a [[b]] [[fail nonsense]] [[words x]] c', { text: 'a [[b]] [[fail nonsense]] [[words x]] c' }],
    ['what is not closed stays', 'a [[call x {"b":1}', { text: 'a [[call x {"b":1}' }],
    ['text around is kept', 'before [[think]] after', { text: 'before  after', think: '' }],
  ])('%s', (_name, text, expected) => expect(readDirectives(text)).toEqual({ ...NONE, ...expected }));

  it('does not spend its time on text that only looks like directives', () => {
    const text = `${'[[call x {'.repeat(20_000)}]]`;
    expect(readDirectives(text).calls).toHaveLength(1);
  });
});
