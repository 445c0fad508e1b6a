// What readers that do not read cost: what is held for them once all that can be collected was, as the slope between a few and many of them.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat, type Data, DIALECTS, type Dialect, responses, WORDS } from '../exchange/dialects.ts';
import { type Asked, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { frameOf, framesIn, OPCODES, openRaw } from '../fakes/raw-web-socket.ts';
import { OVER_SOCKET, socketFamily } from '../fakes/web-sockets.ts';
import { type Gateway, KEY, startGateway, TELLS_HELD } from './gateway.ts';
import { type Lane, LANES } from './lanes.ts';
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
  (type: string, first: readonly (string | Buffer)[], block: string | Buffer): Behaviour =>
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
  readonly asked: Asked;
  /** Whose protocol says the whole text again at the end, or may quote any of it: it must be kept, and is taken off. */
  readonly keepsText?: Pick<Dialect, 'textOf'>;
  /** It asks by a message of a WebSocket. */
  readonly isSocket?: true;
}

/** Of one letter each: text that has to be kept is little of what passes. */
const LETTER = 'a';
const event = (chat.events[2] ?? '').replace(WORDS[1], LETTER);

/** `response.completed` holds all of the text; `groundingMetadata`, in the last event, the claims in it that a source stands for. */
const KEEP_TEXT = new Set<string>(['openai-responses', 'gemini']);

/** What a voice says after it is told as it comes, beside where its sound will stand. */
const transcript = {
  textOf: (events: readonly Data[]): string =>
    (events as readonly { choices?: readonly { delta?: { audio?: { transcript?: string } } }[] }[])
      .map(({ choices }) => choices?.[0]?.delta?.audio?.transcript ?? '')
      .join(''),
};

/** A reply of Gemini is kept as well: what it cites at the end is told by its place in the text. And one that a voice will say. */
const CITED: ReadonlyMap<string, Pick<Dialect, 'textOf'>> = new Map([
  ['openai-chat, with a picture, streamed', chat],
  ['spoken chat, streamed', transcript],
]);

/** So much is written at once, at least. */
const BLOCK_BYTES = 8192;
/**
 * A picture, or sound, in base64. An event is held until it is whole: those of large pictures are larger than what is promised by
 * themselves, so these are small, and what is seen is that not more than one or two of them are held.
 */
export const PICTURE = 'A'.repeat(4096);

/** Whether its events carry pictures or sound, in base64. */
export const isMedia = ({ name }: Lane): boolean => /^(?:image|speech)/.test(name);

/** What such a lane's upstream says before its first event, and enough of its events. */
function floodOf(lane: Lane): Behaviour {
  const { type, answer } = lane;
  let marked = 0;
  const text = isMedia(lane) ? PICTURE : LETTER;
  const mark = (): string => {
    marked++;
    return text;
  };
  const first: Buffer[] = [];
  const block: Buffer[] = [];
  let bytes = 0;
  for (const piece of answer(Infinity, mark)) {
    const written = Buffer.from(piece);
    (marked === 0 ? first : block).push(written);
    if (marked > 0) bytes += written.length;
    if (bytes >= BLOCK_BYTES) break;
  }
  return pouring(type, first, Buffer.concat(block));
}

const pairs = DIALECTS.map((client): Asker => ({
  about: pairName(client.id, chat.id),
  flood: pouring('text/event-stream', chat.events.slice(0, 2), event.repeat(50)),
  asked: { path: client.path('oai/up', true), type: 'application/json', body: Buffer.from(JSON.stringify(client.body('oai/up', true))) },
  ...(KEEP_TEXT.has(client.id) ? { keepsText: client } : {}),
}));

/** Every client's protocol over one that is translated or its own, and whatever streams besides. */
export const ASKERS: readonly Asker[] = [
  ...pairs,
  ...LANES.filter(({ name }) => !name.includes(' ← ')).map((lane): Asker => {
    const keepsText = CITED.get(lane.name);
    return { about: lane.name, flood: floodOf(lane), asked: lane.ask('hello'), ...(keepsText ? { keepsText } : {}) };
  }),
  ...pairs
    .filter(({ keepsText }) => keepsText === responses)
    .map((pair): Asker => ({ ...pair, about: OVER_SOCKET, asked: socketFamily(chat).ask('hello'), isSocket: true })),
];

function stall(url: string, { asked: { path, type, body }, isSocket }: Asker): Socket {
  if (isSocket) {
    const socket = openRaw(url, path, KEY).pause();
    socket.write(frameOf(body));
    return socket;
  }
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEY}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  socket.write(body);
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

const messagesIn = (stream: string): readonly string[] =>
  framesIn(Buffer.from(stream, 'latin1')).flatMap(({ opcode, payload }) => (opcode === OPCODES.text ? [payload.toString()] : []));

/** The length of a reply's text, as far as its reader was told of it. */
function textLength({ keepsText, isSocket }: Asker, stream: string): number {
  const said = isSocket ? messagesIn(stream) : [...stream.matchAll(/^data: (\{.*\})\n\n/gm)].map(([, json = '']) => json);
  return keepsText?.textOf(said.map((json) => JSON.parse(json) as Data)).length ?? 0;
}

/** KiB of text that each of these readers was told, of which every letter is a byte. Ends the gateway: what it has sent can still be read. */
async function toldKiB(gateway: Gateway, asker: Asker, sockets: readonly Socket[]): Promise<number> {
  gateway.program.child.kill('SIGKILL');
  await gateway.program.ended;
  let letters = 0;
  for (const socket of sockets) letters += textLength(asker, await received(socket));
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
    const told = keepsText ? await toldKiB(gateway, asker, asked) : 0;
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

/** All of them, one after another: each with a gateway of its own. */
export async function* stalledRows(many: number): AsyncIterable<Measured> {
  for (const asker of ASKERS) yield await stalledRow(asker, many / 5, many);
}
