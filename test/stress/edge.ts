// What must lead nowhere: requests that hide another, evil names wherever a client puts names, addresses of the inside wherever one names addresses, members of
// every object. The gateway runs in this process, so that what it reaches can be seen.
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { isOwnAddress } from '../../src/exchange/media/provider-request.ts';
import { presets } from '../../src/presets/index.ts';
import { compileProvider } from '../../src/presets/provider.ts';
import { codecFacts } from '../../src/protocols/index.ts';
import { EVIL_NAMES, ID_PATHS, ID_PLACES, inTarget, wentRight, withModel } from '../exchange/evil-names.ts';
import { wellAt } from '../exchange/evil-media.ts';
import { CHAT_PLACES, insideUrls, MEDIA_PLACES } from '../exchange/url-places.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import type { Measured, Part } from './part.ts';
import { slowRow, smugglingRow } from './smuggling.ts';
import { websocketEdge } from './websocket-hostile.ts';

const JSON_TYPE = 'application/json';

/** Sends a request whose target is written as it is; gives its status, 0 where there was no answer. */
function send(server: TestServer, method: string, path: string, type: string, body: Buffer | string): Promise<number> {
  const { hostname, port } = new URL(server.url);
  const headers = { 'x-api-key': server.key, 'content-type': type, 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    try {
      const sent = httpRequest({ hostname, port, method, path, headers, agent }, (response) => {
        response.resume().on('close', () => resolve(response.statusCode ?? 0));
      });
      sent.on('error', () => resolve(0));
      sent.end(body);
    } catch {
      // A target that no client could send.
      resolve(400);
    }
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** The usual path of a family, up to the model where that is in it. */
async function usualPath(server: TestServer, upstream: FaultUpstream, family: Family): Promise<string> {
  const { path, type, body } = family.ask('x');
  await send(server, 'POST', path, type, body);
  const usual = upstream.tries[0]?.path ?? '';
  upstream.tries.length = 0;
  return /^.*?\/models?\//.exec(usual)?.[0] ?? usual;
}

async function* nameRows(server: TestServer, upstream: FaultUpstream): AsyncIterable<Measured> {
  for (const family of FAMILIES) {
    const usual = await usualPath(server, upstream, family);
    let wrong = 0;
    for (const [, name] of EVIL_NAMES) {
      const { path, type, body } = withModel(family, name);
      await send(server, 'POST', path, type, body);
      wrong += upstream.tries.filter((one) => !wentRight(one.path, [usual])).length;
      upstream.tries.length = 0;
      const asked = family.ask('x');
      await send(server, 'POST', `/${inTarget(name)}${asked.path}`, asked.type, asked.body);
      wrong += upstream.tries.length;
      upstream.tries.length = 0;
    }
    yield { promise: 'hostile.names', about: family.name, value: wrong, many: EVIL_NAMES.length * 2, isKept: wrong === 0 };
  }
  let wrong = 0;
  for (const [, ask] of ID_PLACES) {
    for (const [, id] of EVIL_NAMES) {
      const [method, path, body] = ask(id);
      await send(server, method, inTarget(path), JSON_TYPE, body === undefined ? '' : JSON.stringify(body));
      wrong += upstream.tries.filter((one) => !wentRight(one.path, ID_PATHS)).length;
      upstream.tries.length = 0;
    }
  }
  yield { promise: 'hostile.names', about: 'ids', value: wrong, many: ID_PLACES.length * EVIL_NAMES.length, isKept: wrong === 0 };
}

const EVIL_MEMBERS = '"__proto__":{"stream":true,"model":"evil","n":9},"constructor":{"prototype":{"stream":true}},';

/** What the upstream is asked must not change by them, nor any object of this process. */
async function* prototypeRows(server: TestServer, upstream: FaultUpstream): AsyncIterable<Measured> {
  for (const family of FAMILIES) {
    const { path, type, body } = family.ask('x');
    if (type !== JSON_TYPE) continue;
    await send(server, 'POST', path, type, body);
    const wanted = JSON.parse(upstream.tries.at(-1)?.body || '{}') as Record<string, unknown>;
    upstream.tries.length = 0;
    await send(server, 'POST', path, type, body.toString().replaceAll('{"', `{${EVIL_MEMBERS}"`));
    const sent = JSON.parse(upstream.tries.at(-1)?.body || JSON.stringify(wanted)) as Record<string, unknown>;
    upstream.tries.length = 0;
    const plain = Object.keys(wanted).filter((key) => typeof wanted[key] !== 'object');
    const changed = plain.filter((key) => sent[key] !== wanted[key]).length;
    const inherited = ['stream', 'model', 'n'].filter((key) => key in {}).length;
    yield { promise: 'hostile.prototypes', about: family.name, value: changed + inherited, many: 1, isKept: changed + inherited === 0 };
  }
}

async function* addressRows(): AsyncIterable<Measured> {
  let reached = 0;
  const inside = createServer((_request, response) => {
    reached++;
    response.end('secret');
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  const { port } = inside.address() as AddressInfo;
  const upstream = await startFaultUpstream(wellAt);
  const resolve = (host: string): Promise<readonly string[]> =>
    Promise.resolve(host.startsWith('rebinds') ? ['8.8.8.8', '127.0.0.1'] : ['127.0.0.1']);
  const media = createMediaFetcher({ bounds: () => ({ allow: [], fetchBytes: 1_000_000 }), resolve, totalMs: 2000 });
  const server = await startTestServer({ providers: providersAt(upstream.url) }, undefined, undefined, { media });
  try {
    const places = [...CHAT_PLACES, ...MEDIA_PLACES];
    const urls = insideUrls(port);
    for (const { path, body } of places) {
      for (const [, url] of urls) await send(server, 'POST', path, JSON_TYPE, JSON.stringify(body(url)));
    }
    yield { promise: 'egress.addresses', value: reached, many: places.length * urls.length, isKept: reached === 0 };
  } finally {
    await server.close();
    await upstream.close();
    inside.close();
  }
}

/** Addresses that a provider might name, and that are not its own. */
const elsewhere = (origin: string): readonly string[] => {
  const { hostname } = new URL(origin);
  return [
    'https://evil.example/x',
    `https://${hostname}.evil.example/x`,
    `https://${hostname}@evil.example/x`,
    `https://${hostname}:8443/x`,
  ];
};

function* originRows(): Iterable<Measured> {
  let [providers, wrong] = [0, 0];
  for (const preset of presets.keys()) {
    try {
      const { media } = compileProvider(preset, { preset, key: 'a-key:a-secret' }, codecFacts);
      if (media.length === 0) continue;
      providers++;
      if (media.some((one) => elsewhere(one.origin).some((url) => isOwnAddress(one, new URL(url))))) wrong++;
    } catch {
      // It wants an address or an account of the operator's.
    }
  }
  yield { promise: 'egress.origin', value: wrong, many: providers, isKept: wrong === 0 };
}

async function* rows(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream((_one, response) => {
    response.writeHead(200, { 'content-type': JSON_TYPE }).end('{}');
  });
  const server = await startTestServer({ providers: providersAt(upstream.url) });
  try {
    // It takes its time, beside the others.
    const slow = slowRow(server, 50);
    yield await smugglingRow(server, upstream);
    yield* nameRows(server, upstream);
    yield* prototypeRows(server, upstream);
    yield await slow;
  } finally {
    await server.close();
    await upstream.close();
  }
  yield* websocketEdge();
  yield* addressRows();
  yield* originRows();
  agent.destroy();
}

export const edge: Part = { name: 'edge', rows };
