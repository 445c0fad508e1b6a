// Answers of upstreams that begin well and then never end, and what of the endpoints is not among the families: what is kept, what is read
// by a way of its own, and what is gathered piece by piece.
import type { ServerResponse } from 'node:http';
import { chat, messages, responses } from '../exchange/dialects.ts';
import { FAMILIES } from './fault-families.ts';
import { type Family, formAsked, jsonAsked, placed, wav } from './family.ts';

const PIECE_BYTES = 64 * 1024;

/** As much of a piece that is legal there. */
const many = (piece: Buffer | string): Buffer => {
  const bytes = Buffer.from(piece);
  return Buffer.concat(Array.from({ length: Math.max(1, Math.ceil(PIECE_BYTES / bytes.length)) }, () => bytes));
};

/** What goes on for ever, and where that is legal. */
export interface Filler {
  readonly name: string;
  readonly of: (family: Family) => Buffer;
  readonly fits: (family: Family) => boolean;
}

const COMMENTS = many(`: ${'x'.repeat(1000)}\n\n`);
const SPACE = many(' ');

/** All of them. */
export const FILLERS: readonly Filler[] = [
  { name: 'comments', of: () => COMMENTS, fits: ({ type }) => type === 'text/event-stream' },
  { name: 'more of the same events', of: ({ pieces }) => many(pieces[1] ?? ''), fits: ({ isStream }) => isStream },
  { name: 'white space', of: () => SPACE, fits: ({ type }) => type === 'application/json' },
  { name: 'more bytes', of: () => Buffer.alloc(PIECE_BYTES, 3), fits: ({ type }) => /^(?:audio|image)\//.test(type) },
];

/** Answers that go on for ever, as far as they were taken. */
export interface Poured {
  /** Of the longest: what is asked again may be answered so again. */
  bytes: number;
  /** When some was taken last, by the monotonic clock. */
  takenAt: number;
  isOver: boolean;
}

/** Begins as a good answer does, and goes on with `filler` for as long as that is taken, `most` bytes of it. */
export function pour(
  { type, pieces }: Pick<Family, 'type' | 'pieces'>,
  response: ServerResponse,
  filler: Buffer,
  poured: Poured,
  most: number,
  status = 200,
): void {
  poured.isOver = false;
  response.writeHead(status, { 'content-type': type });
  for (const piece of pieces.slice(0, Math.ceil((pieces.length - 1) / 2))) response.write(piece);
  let bytes = 0;
  const go = (): void => {
    let hasRoom = true;
    while (hasRoom && !response.destroyed) {
      hasRoom = response.write(filler);
      bytes += filler.length;
      if (bytes > most) response.destroy();
    }
    poured.bytes = Math.max(poured.bytes, bytes);
    poured.takenAt = performance.now();
  };
  response.on('drain', go).on('close', () => (poured.isOver = true));
  go();
}

/** One more answer without an end. */
export interface Endless {
  readonly name: string;
  readonly family: Family;
  readonly filler: Buffer;
  /** Its client reads for ever: what is told at the end is gathered until then. */
  readonly reads?: true;
}

function familyOf(name: string): Family {
  const found = FAMILIES.find((family) => family.name === name);
  if (!found) throw new Error(`no family '${name}'`);
  return found;
}

/** A stream that is asked for, and answered whole by a copy that does not know it. */
const answeredAs = (name: string, whole: string, filler: Buffer): Endless => {
  const { type, pieces } = familyOf(whole);
  return { name: `${name}, as a whole`, family: { ...familyOf(name), type, pieces }, filler };
};

const said = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const TEXT = 'x'.repeat(PIECE_BYTES);

const asked = (base: Family, path: string, body: (mark: string) => object): Family => ({
  ...base,
  ask: (mark) => jsonAsked(path, body(mark)),
});

const KEPT = { model: `${responses.provider}/up`, store: true };
const THREAD = { ...messages.body(`${messages.provider}/up`, true), thread: { type: 'create' } };
const OVER_MESSAGES = { model: `${messages.provider}/up`, store: false, stream: true };
const OVER_CHAT = messages.body(`${chat.provider}/up`, true);

const block = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, index: 1, ...more })}\n\n`;
const BLOCKS = Buffer.from(
  block('content_block_start', { content_block: { type: 'text', text: '' } }) +
    block('content_block_delta', { delta: { type: 'text_delta', text: TEXT } }) +
    block('content_block_stop', {}),
);
const DELTAS = Buffer.from(block('content_block_delta', { index: 0, delta: { type: 'text_delta', text: TEXT } }));

const called = (calls: object): string =>
  said({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta: { tool_calls: [calls] } }] });
const call = (index: number, more: object): string => called({ index, ...more, function: { name: 'look', arguments: '{"a":"' } });

const HEARD: Family = {
  name: 'transcription over Gemini, streamed',
  ...placed('listener', { preset: 'gemini' }),
  ask: (mark) =>
    formAsked('/v1/audio/transcriptions', [
      ['model', 'listener/gemini-2.5-flash'],
      ['prompt', mark],
      ['stream', 'true'],
      ['file', wav(), 'a.wav', 'audio/wav'],
    ]),
  type: 'text/event-stream',
  pieces: ['One ', 'two ', 'three.'].map((text) => said({ candidates: [{ content: { parts: [{ text }] }, index: 0 }] })),
  isStream: true,
};

/** Answers without an end that the families do not show. */
export const MORE_ENDLESS: readonly Endless[] = [
  answeredAs('images, streamed', 'images', SPACE),
  {
    name: 'images, streamed, told by their links',
    family: familyOf('images, streamed'),
    filler: many(said({ type: 'image_generation.completed', url: 'https://example.com/a.png' })),
  },
  answeredAs('image edits, streamed', 'image edits', SPACE),
  answeredAs('transcription, streamed', 'transcription', SPACE),
  {
    name: 'a kept response',
    family: asked(familyOf('openai-responses'), '/v1/responses', (input) => ({ ...KEPT, input })),
    filler: SPACE,
  },
  {
    name: 'a kept response, streamed, comments',
    family: asked(familyOf('openai-responses, streamed'), '/v1/responses', (input) => ({ ...KEPT, input, stream: true })),
    filler: COMMENTS,
  },
  {
    name: 'a message of a thread',
    family: asked(familyOf('anthropic-messages, streamed'), '/v1/messages', () => THREAD),
    filler: DELTAS,
    reads: true,
  },
  {
    name: 'part after part, all told again at the end',
    family: asked(familyOf('anthropic-messages, streamed'), '/v1/responses', (input) => ({ ...OVER_MESSAGES, input })),
    filler: BLOCKS,
    reads: true,
  },
  {
    name: 'a tool’s call that waits for another',
    family: {
      ...asked(familyOf('openai-chat, streamed'), '/v1/messages', () => OVER_CHAT),
      pieces: [call(0, { id: 'a' }) + call(1, { id: 'b' }), '', ''],
    },
    filler: Buffer.from(called({ index: 1, function: { arguments: TEXT } })),
    reads: true,
  },
  {
    name: 'comments before the first word',
    family: { ...familyOf('openai-chat, streamed'), pieces: [] },
    filler: COMMENTS,
  },
  {
    name: 'an event of line after line',
    family: familyOf('completions, streamed'),
    filler: many(`data: ${'x'.repeat(100)}\n`),
    reads: true,
  },
  {
    name: HEARD.name,
    family: HEARD,
    filler: Buffer.from(said({ candidates: [{ content: { parts: [{ text: TEXT }] }, index: 0 }] })),
    reads: true,
  },
];

/** The providers that only these ask. */
export const moreProvidersAt = (url: string) => ({ [HEARD.provider]: HEARD.settings(url) });
