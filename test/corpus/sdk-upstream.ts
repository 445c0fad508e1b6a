import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/ir/index.ts';
import { recordedEvents } from './recorded-reply.ts';
import type { Recording } from './recordings.ts';
import { anyRequest, type Codec, collected, replyContext, streamText } from './replay.ts';

/** A provider on loopback that answers each model of its own with one recorded reply. */
export interface ReplayUpstream {
  readonly url: string;
  /** Puts a recording, in its dialect, behind a model's name. */
  put(model: string, recording: Recording, codec: Codec): void;
  close(): Promise<void>;
}

/** Whether it is a stream: of events, or Gemini's list of what would be events. */
export const isStreamed = ({ response }: Recording): boolean => response.sse !== undefined || Array.isArray(response.body);

/** The recorded bytes of a reply. */
function bytesOf({ response }: Recording): Buffer {
  if (response.sse) return Buffer.from(response.sse.join(''));
  // The gateway asks for events, where the list was asked for.
  if (Array.isArray(response.body)) return Buffer.from(response.body.map((one) => `data: ${JSON.stringify(one)}\r\n\r\n`).join(''));
  return Buffer.from(response.bodyText ?? JSON.stringify(response.body ?? null));
}

/** What a reply would have been, had the recorded request asked for the other form: whole for a stream, a stream for a whole one. */
export function otherForm(recording: Recording, codec: Codec): string {
  const events = recordedEvents(recording, codec);
  const context = replyContext(anyRequest(!isStreamed(recording)), {});
  return isStreamed(recording) ? JSON.stringify(codec.encodeReply(collected(events), context)) : streamText(codec, events, context);
}

/** Pseudo-random numbers under 1 that are the same for the same word: what failed once fails again. */
function chance(seed: string): () => number {
  let state = 0x9e3779b9;
  for (const letter of seed) state = Math.imul(state ^ letter.charCodeAt(0), 0x85ebca6b) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const MOST_PIECES = 12;

/** Bytes in up to a dozen pieces, cut anywhere: in the middle of lines and of characters. */
function cut(bytes: Buffer, next: () => number): readonly Buffer[] {
  const places = Array.from({ length: Math.floor(next() * MOST_PIECES) }, () => Math.floor(next() * bytes.length));
  const ends = [...new Set([...places, bytes.length])].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

/** Sends pieces, each in a write of its own. */
function send(response: ServerResponse, pieces: readonly Buffer[]): void {
  const next = (at: number): void => {
    const piece = pieces[at];
    if (piece === undefined || response.destroyed) response.end();
    else response.write(piece, () => setImmediate(next, at + 1));
  };
  next(0);
}

interface Wanted {
  readonly model: string;
  readonly streamed: boolean;
}

/** What a request asks for: by its path, or by its body. */
function wantedBy(path: string, text: string): Wanted {
  const [, model, verb] = /\/models\/([^:]+):(\w+)/.exec(path) ?? [];
  if (model !== undefined) return { model, streamed: verb === 'streamGenerateContent' };
  const body = JSON.parse(text) as JsonObject;
  return { model: String(body['model']), streamed: body['stream'] === true };
}

/** Starts a provider that answers with what was recorded. */
export async function startReplay(): Promise<ReplayUpstream> {
  const replies = new Map<string, { readonly recording: Recording; readonly codec: Codec }>();
  const answer = (request: IncomingMessage, body: string, response: ServerResponse): void => {
    const { model, streamed } = wantedBy(request.url ?? '', body);
    const found = replies.get(model);
    if (!found) {
      response.writeHead(418).end();
      return;
    }
    const { recording, codec } = found;
    const { status } = recording.response;
    const bytes = status >= 300 || streamed === isStreamed(recording) ? bytesOf(recording) : Buffer.from(otherForm(recording, codec));
    response.writeHead(status, { 'content-type': streamed && status < 300 ? 'text/event-stream' : 'application/json' });
    send(response, cut(bytes, chance(recording.id)));
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer(request, Buffer.concat(pieces).toString(), response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    put: (model, recording, codec) => void replies.set(model, { recording, codec }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
