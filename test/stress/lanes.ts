// Every way through the gateway that streams, and upstreams of all of them whose events come one by one and say when they left.
import { PAIRS, responses, WORDS } from '../exchange/dialects.ts';
import { type Asked, converseEvent, FAMILIES, type Family } from '../fakes/fault-families.ts';
import type { Behaviour } from '../fakes/fault-upstream.ts';
import { spokenEvent } from '../fakes/speech-families.ts';
import { OVER_SOCKET, socketFamily } from '../fakes/web-sockets.ts';
import { pairName } from './part.ts';
import { type Chat, WIRES } from './wires.ts';

/** What an upstream answers: so many events with a mark in each, made as they are asked for, and what comes before and after them. */
type Answer = (count: number, mark: () => string) => Iterable<string | Buffer>;

/** One way through. */
export interface Lane {
  readonly name: string;
  /** `mark` is somewhere in what the upstream is asked. */
  ask(mark: string): Asked;
  readonly type: string;
  readonly answer: Answer;
  /** Its client gets events; else bytes as they come. */
  readonly isEvents: boolean;
  /** What is marked comes in base64, at the client or at the upstream. */
  readonly isPacked?: true;
  /** Its client asks over a WebSocket. */
  readonly isSocket?: true;
}

/** A family's own answer, with one of its pieces as often as wanted: what is marked in it stands at `place`, and the end begins at `end`. */
const repeating =
  (place: number, end: number, spot: string | RegExp, marked = (mark: string) => mark) =>
  ({ pieces }: Family): Answer =>
    function* answer(count, mark) {
      yield* pieces.slice(0, place);
      for (let left = count; left > 0; left--) yield String(pieces[place]).replace(spot, marked(mark()));
      yield* pieces.slice(end);
    };

const inField = (name: string, end: number): ReturnType<typeof repeating> =>
  repeating(0, end, new RegExp(`"${name}":"[^"]*"`), (mark) => `"${name}":"${mark}"`);

const asChat = (): Answer => WIRES['openai-chat'].events;

/** AWS frames its events in binary, with a checksum. */
const asConverse = ({ pieces }: Family): Answer =>
  function* answer(count, mark) {
    yield* pieces.slice(0, 1);
    for (let left = count; left > 0; left--) yield converseEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text: mark() } });
    yield* pieces.slice(1 + WORDS.length);
  };

const soundWith = (mark: string): Buffer => Buffer.concat([Buffer.alloc(600, 3), Buffer.from(mark), Buffer.alloc(600, 4)]);

/** Sound as it is made. */
const asSound = (): Answer =>
  function* answer(count, mark) {
    for (let left = count; left > 0; left--) yield soundWith(mark());
  };

/** Sound in Gemini's events, of which a client gets the bytes. */
const asSpoken = ({ pieces }: Family): Answer =>
  function* answer(count, mark) {
    for (let left = count; left > 0; left--) yield spokenEvent(soundWith(mark()));
    yield* pieces.slice(-1);
  };

/** The answers of families that are no pair of chat protocols. */
const ANSWERS: Readonly<Record<string, (family: Family) => Answer>> = {
  'completions, streamed': asChat,
  'completions, as they are, streamed': repeating(0, WORDS.length, WORDS[0]),
  'openai-chat, over Converse, streamed': asConverse,
  speech: asSound,
  'speech, over Gemini': asSpoken,
  'speech, as Gemini, streamed': asSound,
  'chat by a voice, streamed': asSound,
  'spoken chat, streamed': asChat,
  'openai-chat, with a picture, streamed': repeating(0, 2, 'Here '),
  'speech, streamed': inField('audio', 2),
  'transcription, streamed': repeating(0, 2, WORDS[0]),
  'images, streamed': inField('b64_json', 1),
  'image edits, streamed': inField('b64_json', 1),
};

const pairs = PAIRS.map(({ client, upstream }): Lane => {
  const model = `${upstream.provider}/up`;
  return {
    name: pairName(client.id, upstream.id),
    ask: (mark) => ({
      path: client.path(model, true),
      type: 'application/json',
      body: Buffer.from(JSON.stringify(client.body(model, true, `say ${mark}`))),
    }),
    type: 'text/event-stream',
    answer: WIRES[upstream.id as Chat].events,
    isEvents: true,
  };
});

/** A pair stands for the families of its protocols. */
const isPaired = ({ name }: Family): boolean => PAIRS.some(({ client }) => name === `${client.id}, streamed`);

/** The voice of a chat is asked when that has been told: what comes before it is no time of its own. */
const streams = ({ isStream, name, seen, isLate }: Family): boolean => (isStream || name === 'speech' || seen === 'events') && !isLate;

const others = FAMILIES.filter((family) => streams(family) && !isPaired(family)).map((family): Lane => {
  const answer = ANSWERS[family.name]?.(family);
  if (!answer) throw new Error(`no paced answer for ${family.name}`);
  const { name, type, seen, isStream } = family;
  const isEvents = seen === undefined ? isStream : seen === 'events';
  return { name, ask: (mark) => family.ask(mark), type, answer, isEvents, ...(seen === undefined ? {} : { isPacked: true }) };
});

/** All 16 pairs of chat protocols, and what streams besides. */
export const LANES: readonly Lane[] = [...pairs, ...others];

/** What a client was told, with what came in base64 as it was before. */
export const unpacked = (text: string): string =>
  text.replaceAll(/"data":"([^"]+)"/g, (_all, data: string) => Buffer.from(data, 'base64').toString('latin1'));

/** What tells the upstream which lane a request is of: for `ask`. */
export const markOf = (lane: Lane): string => `lane-${LANES.indexOf(lane)}-`;

const RESPONSES = LANES.find(({ name }) => name === pairName(responses.id, responses.id)) as Lane;

/** Turns over a WebSocket, of an upstream that speaks the same protocol over HTTP: that is what is relayed beside them. */
export const SOCKET_LANE: Lane = {
  ...RESPONSES,
  name: OVER_SOCKET,
  ask: () => socketFamily(responses).ask(markOf(RESPONSES)),
  isSocket: true,
};

/** An upstream of all lanes. Each event says when it was written, and how long that was after the request had come: `@1234.567;20.123@`. */
export const stamped =
  (events: number, gapMs: number): Behaviour =>
  ({ text, cameAt }, response) => {
    const lane = LANES[Number(/lane-(\d+)-/.exec(text)?.[1])];
    if (!lane) return void response.writeHead(400).end();
    let made = 0;
    const mark = (): string => {
      made++;
      const now = performance.now();
      return `@${now.toFixed(3)};${(now - cameAt).toFixed(3)}@`;
    };
    response.writeHead(200, { 'content-type': lane.type });
    const rest = lane.answer(events, mark)[Symbol.iterator]();
    let written = 0;
    // What stands before an event comes with it, and the end with the last one, as vendors send them.
    const next = (): void => {
      const pieces: Buffer[] = [];
      written++;
      for (let piece = rest.next(); !piece.done; piece = rest.next()) {
        pieces.push(Buffer.from(piece.value));
        if (made === written && made < events) return void response.write(Buffer.concat(pieces));
      }
      clearInterval(timer);
      response.end(Buffer.concat(pieces));
    };
    const timer = setInterval(next, gapMs);
    response.on('close', () => clearInterval(timer));
  };
