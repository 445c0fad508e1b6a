import { describe, expect, test } from 'vitest';
import type { CallRecord } from '../../src/exchange/ports.ts';
import { openTerminal } from './terminal.ts';

const CONFIG = `version: 1
providers:
  openai: { preset: openai, key: "\${env:K}" }
  deepseek: { preset: deepseek, key: "\${env:K}" }
models:
  smart:
    targets:
      - { to: openai/gpt-5.6, weight: 20 }
      - { to: deepseek/deepseek-v4-pro, weight: 80 }
sandbox: false
`;
const env = { K: 'sk-0123456789-abcdefgh', TZ: 'UTC' };

const AT = new Date(2026, 10, 26, 10, 40, 12).getTime();
const base: CallRecord = {
  id: 'req_01KB0000000000000000000001',
  at: AT,
  key: 'laptop',
  protocol: 'openai-chat',
  operation: 'generate',
  asked: 'smart',
  provider: 'openai',
  model: 'gpt-5.6',
  status: 200,
  attempts: 2,
  durationMs: 812.4,
  input: 12,
  output: 34,
  endedBy: 'upstream',
  failed: 'deepseek/deepseek-v4-pro;timeout',
  revision: 2,
  config: 'abcdef',
  route: {
    o: ['1caw deepseek/deepseek-v4-pro', '+caw openai/gpt-5.6'],
  },
};
const { route: _route, provider: _provider, model: _model, input: _input, output: _output, failed: _failed, ...bare } = base;
const refused: CallRecord = { ...bare, id: 'req_2', asked: '', status: 400, attempts: 0, fault: 'invalid_json', endedBy: 'gateway' };
/** The lighter target was drawn: 0.9, moved by the route's own share, lies beyond the heavier one's. */
const drawn: CallRecord = {
  ...base,
  id: 'req_3',
  route: { o: ['1caw openai/gpt-5.6', '+caw deepseek/deepseek-v4-pro'], r: 0.9 },
};

const given: CallRecord = {
  ...bare,
  id: 'req_5',
  attempts: 0,
  cache: 'hit',
  provider: 'openai',
  model: 'gpt-5.6',
  route: { o: ['1cA openai/gpt-5.6'] },
};

const terminal = (records: readonly CallRecord[] = [base, refused, drawn]) =>
  openTerminal({ 'pailou.yaml': CONFIG }, env, {
    requests: () =>
      Promise.resolve({
        find: (id) => records.find((one) => one.id === id),
        last: (count) => records.slice(0, count),
        close: () => undefined,
      }),
  });

const squeezed = (text: string): string => text.replaceAll(/ {2,}/g, '  ');

describe('requests', () => {
  test('one a line', async () => {
    const { code, stdout, stderr } = await terminal().run('requests --last 2');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(squeezed(stdout)).toBe(
      squeezed(`time  id  status  asked → served  tries  ms  tokens in/out  fault or cache
2026-11-26 10:40:12  req_01KB0000000000000000000001  200  smart → openai/gpt-5.6  2  812  12/34
2026-11-26 10:40:12  req_2  400  - → -  0  812  -  invalid_json
`),
    );
  });

  test('what was answered without a call of its own says so', async () => {
    const { stdout } = await terminal([{ ...bare, attempts: 0, cache: 'hit' }]).run('requests --lang zh');
    expect(squeezed(stdout)).toMatch(/错误或缓存\n.*  0  812  -  cache: hit\n$/);
  });

  test('as documents', async () => {
    const { stdout } = await terminal().run('requests --json');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([base, refused, drawn]);
  });

  test.each(['0', '1001', 'x', '-1'])('--last %s is a mistake', async (last) => {
    const { code, stderr } = await terminal().run(`requests --last=${last}`);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `--last must be a number from 1 to 1000, not '${last}'\n` });
  });

  test('none kept', async () => {
    const { code, stderr } = await openTerminal({}, env).run('requests --data here');
    expect(code).toBe(5);
    expect(stderr).toMatch(/^No requests are kept in .*here\. They are, once/);
  });
});

describe('request', () => {
  test('all that is kept', async () => {
    const { code, stdout } = await terminal().run(`request ${base.id}`);
    expect(code).toBe(0);
    expect(squeezed(stdout)).toContain('  failed  deepseek/deepseek-v4-pro;timeout\n');
    expect(squeezed(stdout)).toContain(
      '\nsmart → deepseek/deepseek-v4-pro\n  1. deepseek/deepseek-v4-pro (openai-chat)  chosen: by its alias, by weight\n',
    );
  });

  test('from whom an answer came that was given again', async () => {
    const { stdout } = await terminal([given]).run('request req_5');
    expect(squeezed(stdout)).toContain('\nsmart → openai/gpt-5.6\n  1. openai/gpt-5.6 (openai-chat)  chosen: answered before\n');
  });

  test('one that is not there', async () => {
    const { code, stderr } = await terminal().run('request req_9 --lang zh');
    expect(code).toBe(5);
    expect(stderr).toMatch(/^.* 中没有请求“req_9”。/);
  });

  test('without an id', async () => expect((await terminal().run('request')).code).toBe(2));
});

describe('route explain --request', () => {
  test('decided the same now', async () => {
    const { code, stdout, stderr } = await terminal().run(`route explain --request ${base.id}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^As it was decided at 2026-11-26 10:40:12 \(configuration abcdef, loaded 2 times\):\nsmart → deepseek/);
    expect(stdout).toMatch(/\nDecided now, by the configuration here \([\w-]{12}\): the same\.\n$/);
  });

  test('what was drawn is drawn again', async () => {
    const { code, stdout } = await terminal().run('route explain --request req_3 --json');
    const { same, now } = JSON.parse(stdout) as { same: boolean; now: { candidates: { model: string; verdict: string }[] } };
    expect({ code, same }).toEqual({ code: 0, same: true });
    expect(now.candidates[0]).toMatchObject({ model: 'gpt-5.6', verdict: 'chosen' });
  });

  test('a row whose decision an earlier version wrote in other words is shown without it', async () => {
    const route = { outcome: ['1 openai-chat alias . openai/gpt-5.6'], random: 0.5 } as unknown as NonNullable<CallRecord['route']>;
    const old = { ...base, id: 'req_6', route };
    const shown = await terminal([old]).run('request req_6');
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 0, stderr: '' });
    expect(shown.stdout).toContain('deepseek/deepseek-v4-pro');
    const explained = await terminal([old]).run('route explain --request req_6');
    expect({ code: explained.code, stdout: explained.stdout }).toEqual({ code: 5, stdout: '' });
    expect(explained.stderr).toContain('req_6');
  });

  test('decided otherwise now', async () => {
    const other = { ...base, id: 'req_4', route: { o: ['1ca openai/gpt-5'] } };
    const { code, stdout } = await terminal([other]).run('route explain --request req_4 --lang zh');
    expect(code).toBe(6);
    expect(stdout).toMatch(/重新决策，结果不同：\nsmart → deepseek\/deepseek-v4-pro\n/);
  });

  test.each([
    { cache: 'hit', language: 'en', says: /\nIt was answered from the cache, with .*: nothing was decided for it\.\n$/ },
    { cache: 'shared', language: 'en', says: /\nIt was told what another call that was under way was told: nothing .*\n$/ },
    { cache: 'shared', language: 'zh', says: /\n与另一个进行中的相同请求共用应答：未作路由决策。\n$/ },
  ] as const)('an answer that was given again ($cache, $language)', async ({ cache, language, says }) => {
    const { code, stdout, stderr } = await terminal([{ ...given, cache }]).run(`route explain --request req_5 --lang ${language}`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^smart → openai\/gpt-5\.6\n/);
    expect(stdout).toMatch(says);
  });

  test('an answer that was given again, of which no more is kept', async () => {
    const { code, stdout } = await terminal([{ ...bare, cache: 'repeat' }]).run(`route explain --request ${bare.id}`);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'It was given the answer that its Idempotency-Key had brought before: nothing was decided for it.\n',
    });
  });

  test('an answer that was given again, as a document', async () => {
    const { code, stdout } = await terminal([given]).run('route explain --request req_5 --json');
    const { request, kept, ...more } = JSON.parse(stdout) as { request: unknown; kept: { candidates: { reasons: string[] }[] } };
    expect({ code, request, more, reasons: kept.candidates[0]?.reasons }).toEqual({
      code: 0,
      request: given,
      more: {},
      reasons: ['cache_hit'],
    });
  });

  test('one that did not come to a decision', async () => {
    const { code, stderr } = await terminal().run('route explain --request req_2');
    expect({ code, stderr }).toEqual({ code: 5, stderr: "Request 'req_2' was refused before it was decided where it goes\n" });
  });
});
