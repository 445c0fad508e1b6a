import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { testConfig } from '../../test/server.ts';
import type { Config } from '../config/config.ts';
import { logAccess } from './access-log.ts';
import { createLog } from './log.ts';

const CANARY = 'canary-in-every-slot';
const QUOTED = 'canary "with\\ quotes';

const config = (level: Config['log']['level']): Config =>
  testConfig({
    log: { level },
    tasks: {
      keepMs: 1,
      deadlineMs: 1,
      media: { bytes: 1, s3: { endpoint: 'http://127.0.0.1:1', bucket: 'b', region: 'r', prefix: '', key: 'id:bucket-canary' } },
    },
    keys: [
      { name: 'short', value: 'x' },
      { name: 'long', value: `${CANARY}-and-more` },
    ],
    providers: {
      one: { preset: 'openai', key: CANARY },
      two: { preset: 'openai', key: QUOTED },
      three: { preset: 'openai', headers: { 'x-auth': 'header-canary', accept: 'application/json' } },
      four: { preset: 'bedrock', settings: { secretAccessKey: 'setting-canary', account: 'production' } },
      five: { preset: 'deepseek', keys: [{ value: 'first-canary' }, { value: 'second-canary' }] },
      six: { preset: 'bedrock', key: 'AKIA0000:half-canary' },
    },
  });

/** What a log writes. */
function recorded(level: Config['log']['level']) {
  const lines: string[] = [];
  return { lines, log: createLog(config(level), (line) => lines.push(line)) };
}
const parsed = (lines: readonly string[]): readonly Record<string, unknown>[] =>
  lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('the log', () => {
  it.each([
    { level: 'debug' as const, says: ['debug', 'info', 'warn', 'error'] },
    { level: 'info' as const, says: ['info', 'warn', 'error'] },
    { level: 'warn' as const, says: ['warn', 'error'] },
    { level: 'error' as const, says: ['error'] },
    { level: 'silent' as const, says: [] },
  ])('at $level', async ({ level, says }) => {
    const { lines, log } = recorded(level);
    for (const at of ['debug', 'info', 'warn', 'error'] as const) log[at]({}, 'said');
    await log.flush();
    expect(parsed(lines).map((line) => line['level'])).toEqual(says);
    expect(lines.every((line) => line.endsWith('\n') && !line.slice(0, -1).includes('\n'))).toBe(true);
  });

  it('keeps the order of lines that came before it was loaded', async () => {
    const { lines, log } = recorded('info');
    log.info({ at: 1 }, 'first');
    log.info({ at: 2 }, 'second');
    await log.flush();
    log.info({ at: 3 }, 'third');
    expect(parsed(lines).map((line) => [line['at'], line['msg']])).toEqual([
      [1, 'first'],
      [2, 'second'],
      [3, 'third'],
    ]);
  });

  it('has what it could not write at first written later', async () => {
    vi.doMock('pino', () => {
      throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    });
    const { lines, log } = recorded('info');
    log.info({}, 'first');
    await log.flush();
    expect(lines).toEqual([]);
    vi.doUnmock('pino');
    await log.flush();
    expect(parsed(lines).map(({ msg }) => msg)).toEqual(['first']);
  });

  it('takes another level', async () => {
    const { lines, log } = recorded('error');
    log.configure(config('debug'));
    log.debug({}, 'now');
    await log.flush();
    expect(lines).toHaveLength(1);
  });

  it('says an error with its stack and cause', async () => {
    const { lines, log } = recorded('info');
    log.error({ requestId: 'req_1', err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    await log.flush();
    expect(parsed(lines)[0]).toMatchObject({
      requestId: 'req_1',
      msg: 'failed',
      err: { message: 'outer', stack: expect.stringContaining('log.test.ts'), cause: { message: 'inner' } },
    });
  });

  it('survives what cannot be printed', async () => {
    const { lines, log } = recorded('info');
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    log.info({ circle, big: 1n, nothing: undefined }, 'odd');
    await log.flush();
    expect(lines).toHaveLength(1);
  });
});

describe('no line shows', () => {
  const CASES: readonly (readonly [name: string, secret: string])[] = [
    ['a client’s key', `${CANARY}-and-more`],
    ['a provider’s key', CANARY],
    ['one that JSON escapes', QUOTED],
    ['a secret header', 'header-canary'],
    ['a secret setting', 'setting-canary'],
    ['one of several keys', 'second-canary'],
    ['half of a key', 'half-canary'],
    ['the key of the bucket', 'bucket-canary'],
    ['somebody else’s bearer', 'Bearer abcdefghijklmnop'],
    ['somebody else’s key', 'sk-proj-abcdefghijklmnopqrstuvwx'],
    ['somebody else’s key of no known kind', 'AIzaSyD4Hq7wZpM2nT8vKc3XbL9rJ5uG1eYoFhQ'],
    ['a key in a query', '/v1beta/models?key=abcdefgh&alt=sse'],
  ];
  it.each(CASES)('%s', async (_name, secret) => {
    const { lines, log } = recorded('debug');
    log.error({ [secret]: secret, deep: { list: [`a ${secret} b`] }, err: new Error(secret, { cause: secret }) }, secret);
    await log.flush();
    const kernel = secret.replace(/^.*[ =](?=[a-z]{8})/, '').split('&')[0] ?? '';
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(JSON.stringify(kernel).slice(1, -1));
    expect(lines[0]).toContain('[secret]');
  });

  it('and what is no secret stays', async () => {
    const { lines, log } = recorded('debug');
    log.info(
      {
        one: 'production',
        two: 'application/json',
        three: 'x',
        four: 'sk-short',
        five: 'the key=value',
        six: 'monkey-business-as-usual',
        seven: 'req_01M8BCTA49KCYVPT9TTZCY3PGW',
        eight: 'a'.repeat(64),
      },
      'fine',
    );
    await log.flush();
    expect(lines[0]).not.toContain('[secret]');
  });
});

it('taking secrets out takes no time, whatever the text', async () => {
  const { log } = recorded('info');
  log.info({}, 'loaded');
  await log.flush();
  for (const evil of ['-a', 'Bearer ', 'sk-', '?key=', 'aA1', 'canary "', '&token']) {
    const before = performance.now();
    log.info({ evil: evil.repeat(100_000 / evil.length) }, 'evil');
    expect(performance.now() - before).toBeLessThan(250);
  }
});

describe('requests are logged', () => {
  it('at debug only, without their query', async () => {
    const { lines, log } = recorded('info');
    const server = createServer((_request, response) => response.setHeader('x-pailou-request-id', 'req_7').end('ok'));
    logAccess(server, log);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/models?key=abc`;
    await (await fetch(url)).text();
    log.configure(config('debug'));
    await (await fetch(url)).text();
    await expect.poll(() => lines).toHaveLength(1);
    expect(parsed(lines)[0]).toMatchObject({
      level: 'debug',
      msg: 'request',
      requestId: 'req_7',
      method: 'GET',
      path: '/v1/models',
      status: 200,
    });
    server.closeAllConnections();
    server.close();
  });
});
