// Many numbered streams through one gateway at once, cut into pieces at random: every event once, in order, for a pair of protocols.
import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startTestServer, type TestServer } from '../server.ts';
import { pairName, type Part } from './part.ts';
import { type Chat, CHATS, ENDINGS, textOf, WIRES } from './wires.ts';

/** Chance that can be had again: a small generator of 32-bit numbers. https://www.jstatsoft.org/article/view/v008i14 */
function createChance(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Writes bytes in pieces of chance sizes, waiting where the reader is slow. */
async function writeCut(response: ServerResponse, bytes: Buffer, chance: () => number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const size = chance() < 0.2 ? 1 + Math.floor(chance() * 7) : 1 + Math.floor(chance() * 16_384);
    const more = response.write(bytes.subarray(at, at + size));
    at += size;
    if (!more) await new Promise((resolve) => response.once('drain', resolve));
  }
  response.end();
}

interface Upstream {
  readonly url: string;
  close(): void;
}

/** Answers with a stream of `events` numbered events in the protocol that the path asks in. */
async function startNumberedUpstream(events: number, seed: number): Promise<Upstream> {
  const made = new Map<Chat, Buffer>();
  const bytesOf = (protocol: Chat): Buffer => {
    let bytes = made.get(protocol);
    if (!bytes) {
      bytes = Buffer.from([...WIRES[protocol].events(events)].join(''));
      made.set(protocol, bytes);
    }
    return bytes;
  };
  const protocolOf = (path: string): Chat =>
    path.includes(':streamGenerateContent')
      ? 'gemini'
      : (CHATS.find((id) => id !== 'gemini' && path.endsWith(WIRES[id].path('').slice(3))) ?? 'gemini');
  let calls = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      void writeCut(response, bytesOf(protocolOf(request.url ?? '')), createChance(seed + calls++));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Follows one client's stream; what is wrong with it when it is over. */
function createCheck(client: Chat, events: number): { push(text: string): void; problem(): string | undefined } {
  const { read } = WIRES[client];
  let rest = '';
  let event: string | undefined;
  let index = 0;
  let due = '';
  let wrong: string | undefined;
  let ended = false;
  const take = (text: string): void => {
    let left = text;
    while (left !== '' && wrong === undefined) {
      if (due === '') due = textOf(index++);
      const size = Math.min(due.length, left.length);
      if (due.slice(0, size) !== left.slice(0, size)) wrong = `instead of ${JSON.stringify(due)} came ${JSON.stringify(left.slice(0, 40))}`;
      due = due.slice(size);
      left = left.slice(size);
    }
  };
  const line = (text: string): void => {
    if (text.startsWith('event: ')) event = text.slice(7);
    else if (text.startsWith('data: ')) {
      const data = text.slice(6);
      if (ENDINGS[client].test(data)) ended = true;
      const said = read(event === undefined ? { data } : { event, data });
      event = undefined;
      if (said !== null) take(said);
    }
  };
  return {
    push(text) {
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const one of lines) line(one);
    },
    problem() {
      if (wrong !== undefined) return wrong;
      if (index !== events || due !== '') return `${index} events of ${events}, ${due.length} characters missing`;
      return ended ? undefined : 'no finish reason';
    },
  };
}

function ask(server: TestServer, client: Chat, model: string, events: number, agent: Agent): Promise<string | undefined> {
  const { path, request } = WIRES[client];
  const check = createCheck(client, events);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.key}` };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(`${server.url}${path(model)}`, { method: 'POST', headers, agent }, (response: IncomingMessage) => {
      response.setEncoding('utf8');
      response.on('data', (text: string) => check.push(text));
      response.on('error', reject);
      response.on('end', () => resolve(response.statusCode === 200 ? check.problem() : `status ${response.statusCode ?? 0}`));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(request(model)));
  });
}

/** What came of one pair. */
export interface PairOutcome {
  readonly client: Chat;
  readonly upstream: Chat;
  readonly events: number;
  /** Streams that were wrong, and how the first was. */
  readonly wrong: number;
  readonly why?: string;
  readonly seconds: number;
}

/** Runs `streams` streams of `events` events side by side through each pair of protocols. */
export async function* runPairs(streams: number, events: number, seed = 1): AsyncIterable<PairOutcome> {
  const upstream = await startNumberedUpstream(events, seed);
  const providers = Object.fromEntries(
    CHATS.map((id) => [id, { preset: WIRES[id].preset, baseUrl: upstream.url, key: 'k', protocols: [id] }] as const),
  );
  const server = await startTestServer({ providers });
  const agent = new Agent({ keepAlive: true, maxSockets: streams });
  try {
    for (const client of CHATS) {
      for (const target of CHATS) {
        const began = performance.now();
        const problems = await Promise.all(Array.from({ length: streams }, () => ask(server, client, `${target}/m`, events, agent)));
        const wrong = problems.filter((problem) => problem !== undefined);
        const [why] = wrong;
        const seconds = (performance.now() - began) / 1000;
        yield { client, upstream: target, events: streams * events, wrong: wrong.length, seconds, ...(why === undefined ? {} : { why }) };
      }
    }
    if (server.defects.length > 0) throw new Error(`defects: ${String(server.defects[0])}`);
  } finally {
    agent.destroy();
    await server.close();
    upstream.close();
  }
}

const STREAMS = 64;

/** All pairs, with as many events as are wanted. */
export const streams: Part = {
  name: 'streams',
  async *rows({ events, seed }) {
    for await (const pair of runPairs(STREAMS, Math.max(1, Math.round(events / STREAMS)), seed)) {
      yield {
        promise: 'streams.once',
        about: pairName(pair.client, pair.upstream),
        value: pair.wrong,
        many: pair.events,
        isKept: pair.wrong === 0,
        ...(pair.why === undefined ? {} : { detail: pair.why }),
      };
    }
  },
};
