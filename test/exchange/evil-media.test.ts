import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, testConfig, type TestServer } from '../server.ts';
import { MEDIA_FAMILIES, mutantOf, wellAt, wrongWith } from './evil-media.ts';
import { changed, placesIn } from './evil-bodies.ts';
import { call } from './stage.ts';

/** Members of every object: a table that is asked for them must not find them. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

let server: TestServer;
let upstream: FaultUpstream;
beforeAll(async () => {
  upstream = await startFaultUpstream(wellAt);
  const limits = { ...testConfig().limits, body: 1024 * 1024, upload: 2 * 1024 * 1024 };
  server = await startTestServer({ providers: providersAt(upstream.url), limits });
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

const headersOf = (type: string): Record<string, string> => ({ 'x-api-key': server.key, 'content-type': type });

describe.each(MEDIA_FAMILIES)('$name', (family) => {
  const { path, type, body } = family.ask('x');

  it('as it should be is answered', async () => {
    const got = await call(server.url + path, body, headersOf(type));
    expect(got.status, got.text).toBe(200);
  });

  it('with something wrong is answered in its own words, never with a fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(mutantOf(family), async (evil) => {
        const got = await call(server.url + path, evil, headersOf(type));
        upstream.tries.length = 0;
        expect(wrongWith(family, got.status, got.text)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
    expect(server.defects).toEqual([]);
  });

  it('words that every object knows are words like others', async () => {
    if (type !== 'application/json') return;
    const good: unknown = JSON.parse(body.toString());
    for (const place of placesIn(good).filter(([first]) => first !== undefined && first !== 'model')) {
      for (const word of INHERITED) {
        const evil = JSON.stringify(changed(good, place, word));
        const got = await call(server.url + path, evil, headersOf(type));
        expect(wrongWith(family, got.status, got.text), evil).toBeUndefined();
      }
    }
    expect(server.defects).toEqual([]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a packed bomb', gzipSync(Buffer.alloc(8 * 1024 * 1024, 'a'))],
    ['what is not packed', Buffer.from('plainly')],
  ])('%s is a 4xx', async (name, bytes) => {
    const packed: Record<string, string> = name === 'nothing' ? {} : { 'content-encoding': 'gzip' };
    const got = await call(server.url + path, bytes, { ...headersOf(type), ...packed });
    expect(wrongWith(family, got.status, got.text)).toBeUndefined();
    expect(got.status).not.toBe(200);
  });

  it('too large is a 413, announced or not', async () => {
    const large = Buffer.concat([body.subarray(0, -20), Buffer.alloc(3 * 1024 * 1024, 'a'), body.subarray(-20)]);
    const announced = await call(server.url + path, large, headersOf(type));
    expect([announced.status, wrongWith(family, announced.status, announced.text)]).toEqual([413, undefined]);
  });

  it('too deep is a 400', async () => {
    if (type !== 'application/json') return;
    const deep = Buffer.from(body.toString().replace('{', `{"deep":${'['.repeat(5000)}${']'.repeat(5000)},`));
    const got = await call(server.url + path, deep, headersOf(type));
    expect([got.status, wrongWith(family, got.status, got.text)]).toEqual([400, undefined]);
  });

  it('names of every object’s members change nothing', async () => {
    upstream.tries.length = 0;
    await call(server.url + path, body, headersOf(type));
    const wanted = upstream.tries.at(-1);
    const evil = '"__proto__":{"stream":true,"model":"evil","n":9},"constructor":{"prototype":{"stream":true}},';
    const text = body.toString('latin1');
    const spoiled =
      type === 'application/json'
        ? text.replaceAll('{"', `{${evil}"`)
        : text.replace(/^(--[^\r]+\r\n)/, (line) =>
            ['__proto__', 'constructor', '__proto__[model]', 'constructor[prototype][stream]']
              .map((name) => `${line}Content-Disposition: form-data; name="${name}"\r\n\r\nevil\r\n`)
              .join('')
              .concat(line),
          );
    const got = await call(server.url + path, Buffer.from(spoiled, 'latin1'), headersOf(type));
    expect(wrongWith(family, got.status, got.text)).toBeUndefined();
    for (const name of ['stream', 'model', 'n']) expect(({} as Record<string, unknown>)[name]).toBeUndefined();
    const sent = upstream.tries.at(-1);
    if (got.status !== 200) return;
    expect(sent?.path).toBe(wanted?.path);
    // What is asked about a job has no body.
    if (type !== 'application/json' || !sent?.body) return;
    const [now, before] = [JSON.parse(sent.body), JSON.parse(wanted?.body ?? '')] as Record<string, unknown>[];
    for (const key of Object.keys(before ?? {})) if (typeof before?.[key] !== 'object') expect(now?.[key], key).toEqual(before?.[key]);
  });
});
