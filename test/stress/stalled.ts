// What readers that do not read cost: what is held for them once all that can be collected was, as the slope between a few and many of them.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat, type Data, DIALECTS, type Dialect, WORDS } from '../exchange/dialects.ts';
import { providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { type Gateway, KEY, startGateway, TELLS_HELD } from './gateway.ts';
import { type Measured, ms, pairName } from './part.ts';

const LIMIT_KIB = 64;
/** Not all come at the same moment: a crowd is no part of what is measured. */
const TOGETHER = 32;
/** All have come by then, or as many are measured as have. */
const CROWD_MS = 300_000;
/** Where gateway and upstreams together work less than `IDLE_SHARE` of a span, twice, every buffer on the way is full. */
const SPAN_MS = 250;
const IDLE_SHARE = 0.08;
/** So many of them are read to their ends, for the length of the text that each was told. */
const READ = 100;

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
  /** Whose protocol says the whole text again at the end, or may quote any of it: it must be kept, and is taken off. */
  readonly keepsText?: Dialect;
}

/** Of one letter each: text that has to be kept is little of what passes. */
const event = (chat.events[2] ?? '').replace(WORDS[1], 'a');
const SPOKEN = `event: speech.audio.delta\ndata: ${JSON.stringify({ type: 'speech.audio.delta', audio: Buffer.alloc(600, 3).toString('base64') })}\n\n`;
const speech = (form: 'sse' | 'audio'): object => ({ model: 'maker/gpt-4o-mini-tts', voice: 'nova', input: 'hello', stream_format: form });

/** `response.completed` holds all of the text; `groundingMetadata`, in the last event, the claims in it that a source stands for. */
const KEEP_TEXT = new Set<string>(['openai-responses', 'gemini']);

/** Every client's protocol over one that is translated or its own, and what is spoken. */
export const ASKERS: readonly Asker[] = [
  ...DIALECTS.map((client) => ({
    about: pairName(client.id, chat.id),
    flood: pouring('text/event-stream', chat.events.slice(0, 2), event.repeat(50)),
    path: client.path('oai/up', true),
    body: client.body('oai/up', true),
    ...(KEEP_TEXT.has(client.id) ? { keepsText: client } : {}),
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

/** How long a process has worked, or waited for a processor to work on, in milliseconds. */
const busyMs = (pid: number): number => {
  const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return (Number(ran) + Number(waited)) / 1e6;
};

/** Waits until neither the gateway nor its upstreams, which are here, have anything to do. */
async function idle(gateway: Gateway, until: number): Promise<void> {
  const busy = (): number => busyMs(gateway.program.child.pid ?? 0) + busyMs(process.pid);
  for (let calm = 0; calm < 2 && performance.now() < until;) {
    const before = { busy: busy(), at: performance.now() };
    await sleep(SPAN_MS);
    const share = (busy() - before.busy) / (performance.now() - before.at);
    calm = share < IDLE_SHARE ? calm + 1 : 0;
  }
}

/** So many more of them, until nothing moves any more; each is there when its upstream was asked. Gives their sockets. */
async function crowd(gateway: Gateway, upstream: FaultUpstream, asker: Asker, many: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  const until = performance.now() + CROWD_MS;
  const all = upstream.tries.length + many;
  while (upstream.tries.length < all && performance.now() < until) {
    const next = Math.min(upstream.tries.length + TOGETHER, all);
    for (let at = upstream.tries.length; at < next; at++) sockets.push(stall(gateway.url, asker));
    while (upstream.tries.length < next && performance.now() < until) await sleep(20);
  }
  await idle(gateway, until);
  return sockets;
}

/** What a gateway that is gone has sent to one that now reads. */
async function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => (text += piece));
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** The length of a reply's text, as far as its reader was told of it. */
function textLength({ textOf }: Dialect, stream: string): number {
  const data: Data[] = [];
  for (const [, json = ''] of stream.matchAll(/^data: (\{.*\})\n\n/gm)) data.push(JSON.parse(json) as Data);
  return textOf(data).length;
}

/** KiB of text that each of these readers was told, of which every letter is a byte. Ends the gateway: what it has sent can still be read. */
async function toldKiB(gateway: Gateway, client: Dialect, sockets: readonly Socket[]): Promise<number> {
  gateway.program.child.kill('SIGKILL');
  await gateway.program.ended;
  let letters = 0;
  for (const socket of sockets) letters += textLength(client, await received(socket));
  return letters / sockets.length / 1024;
}

/** How long it takes until all but `left` upstreams are let go, after their readers have left. */
async function letGo(upstream: FaultUpstream, left: number): Promise<number> {
  const began = performance.now();
  const waiting = (): number => upstream.tries.filter(({ abandonedAt }) => abandonedAt === undefined).length;
  while (waiting() > left && performance.now() - began < 10_000) await sleep(10);
  return performance.now() - began;
}

/** What each of `many` readers costs that come after a `few`, which pay for code and buffers that all share. */
export async function stalledRow(asker: Asker, few: number, many: number): Promise<Measured> {
  const upstream = await startFaultUpstream(asker.flood);
  const gateway = await startGateway(providersAt(upstream.url), false, TELLS_HELD);
  const { keepsText } = asker;
  try {
    const first = await crowd(gateway, upstream, asker, few);
    const before = { resident: gateway.resident(), held: await gateway.held(), tries: upstream.tries.length };
    const rest = await crowd(gateway, upstream, asker, many);
    const came = upstream.tries.length - before.tries;
    const resident = (gateway.resident() - before.resident) / came;
    const held = ((await gateway.held()) - before.held) / came;
    const asked = keepsText ? rest.filter((_, at) => at % Math.ceil(rest.length / READ) === 0) : [];
    for (const socket of [...first, ...rest]) if (!asked.includes(socket)) socket.destroy();
    const gone = await letGo(upstream, asked.length);
    const told = keepsText ? await toldKiB(gateway, keepsText, asked) : 0;
    const beside = keepsText ? `${held.toFixed(1)} KiB with the ${told.toFixed(1)} KiB of its text; ` : '';
    return {
      promise: 'memory.stalled',
      about: asker.about,
      value: held - told,
      many: came,
      detail: `${beside}the process grew by ${resident.toFixed(0)} KiB each; all let go ${ms(gone)} after they left`,
      isKept: held - told < LIMIT_KIB && came === many,
    };
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

/** Every client's protocol over one that is translated or its own, and what is spoken. */
export async function* stalledRows(many: number): AsyncIterable<Measured> {
  for (const asker of ASKERS) yield await stalledRow(asker, many / 5, many);
}
