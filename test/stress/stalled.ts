// What readers that do not read cost: what is held for them once all that can be collected was, as the slope between a few and many of them.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat, DIALECTS, WORDS } from '../exchange/dialects.ts';
import { providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, KEY, startGateway, TELLS_HELD } from './gateway.ts';
import { type Measured, ms, pairName } from './part.ts';

const LIMIT_KIB = 64;
/** They pay for code and buffers that all share. */
const FIRST = 100;
/** Not all come at the same moment: a crowd is no part of what is measured. */
const TOGETHER = 32;
/** All have come by then, or as many are measured as have. */
const CROWD_MS = 60_000;
/** Nothing more moves: every buffer on the way is full. */
const FULL_MS = 2000;

/** Writes as fast as it is let: a beginning, then one block again and again. */
const pouring =
  (type: string, first: readonly string[], block: string | Buffer): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': type });
    for (const event of first) response.write(event);
    const pour = (): void => {
      while (!response.destroyed) {
        if (!response.write(block)) {
          response.once('drain', pour);
          return;
        }
      }
    };
    pour();
  };

/** One who asks and does not read. */
interface Asker {
  readonly about: string;
  readonly flood: Behaviour;
  readonly path: string;
  readonly body: object;
}

/** Of one letter each: some protocols say the whole text again at the end, and have to keep it. */
const event = (chat.events[2] ?? '').replace(WORDS[1], 'a');
const SPOKEN = `event: speech.audio.delta\ndata: ${JSON.stringify({ type: 'speech.audio.delta', audio: Buffer.alloc(600, 3).toString('base64') })}\n\n`;
const speech = (form: 'sse' | 'audio'): object => ({ model: 'maker/gpt-4o-mini-tts', voice: 'nova', input: 'hello', stream_format: form });

const ASKERS: readonly Asker[] = [
  ...DIALECTS.map((client) => ({
    about: pairName(client.id, chat.id),
    flood: pouring('text/event-stream', chat.events.slice(0, 2), event.repeat(50)),
    path: client.path('oai/up', true),
    body: client.body('oai/up', true),
  })),
  { about: 'speech, streamed', flood: pouring('text/event-stream', [], SPOKEN.repeat(10)), path: '/v1/audio/speech', body: speech('sse') },
  { about: 'speech', flood: pouring('audio/mpeg', [], Buffer.alloc(8192, 7)), path: '/v1/audio/speech', body: speech('audio') },
];

function stall(url: string, { path, body }: Asker): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  const text = JSON.stringify(body);
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  return socket;
}

/** So many more of them; each is there when its upstream was asked. Gives their sockets. */
async function crowd(gateway: Gateway, upstream: FaultUpstream, asker: Asker, many: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  const until = performance.now() + CROWD_MS;
  const all = upstream.tries.length + many;
  while (upstream.tries.length < all && performance.now() < until) {
    const next = Math.min(upstream.tries.length + TOGETHER, all);
    for (let at = upstream.tries.length; at < next; at++) sockets.push(stall(gateway.url, asker));
    while (upstream.tries.length < next && performance.now() < until) await sleep(20);
  }
  await sleep(FULL_MS);
  return sockets;
}

async function row(asker: Asker, many: number): Promise<Measured> {
  const upstream = await startFaultUpstream(asker.flood);
  const gateway = await startGateway(providersAt(upstream.url), false, TELLS_HELD);
  try {
    const first = await crowd(gateway, upstream, asker, FIRST);
    const before = { held: await gateway.held(), resident: gateway.resident(), tries: upstream.tries.length };
    const rest = await crowd(gateway, upstream, asker, many);
    const came = upstream.tries.length - before.tries;
    const each = ((await gateway.held()) - before.held) / came;
    const resident = (gateway.resident() - before.resident) / came;
    const began = performance.now();
    for (const socket of [...first, ...rest]) socket.destroy();
    while (upstream.tries.some(({ abandonedAt }) => abandonedAt === undefined) && performance.now() - began < 10_000) await sleep(10);
    return {
      promise: 'memory.stalled',
      about: asker.about,
      value: each,
      many: came,
      detail: `the process grew by ${resident.toFixed(0)} KiB each; all let go ${ms(performance.now() - began)} after they left`,
      isKept: each < LIMIT_KIB && came === many,
    };
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

/** Every client's protocol over one that is translated or its own, and what is spoken. */
export async function* stalledRows(many: number): AsyncIterable<Measured> {
  for (const asker of ASKERS) yield await row(asker, many);
}
