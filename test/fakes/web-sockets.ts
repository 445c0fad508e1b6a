// The Responses API over its WebSocket as a family of endpoints: how its clients ask, and what they got, in the terms of HTTP.
import { WebSocket } from 'ws';
import { type Data, type Dialect, DIALECTS, responses } from '../exchange/dialects.ts';
import type { Got } from '../stress/talk.ts';
import type { Asked, Family } from './fault-families.ts';

/** What it is called, whatever protocol its upstream speaks. */
export const OVER_SOCKET = `${responses.id}, over WebSocket`;

/** The message that asks for a turn. */
export const createMessage = (model: string, text: string): Record<string, unknown> => ({
  type: 'response.create',
  ...responses.body(model, false, text),
});

/** It, over an upstream of this dialect. */
export const socketFamily = ({ provider, settings, events }: Dialect): Family => ({
  name: OVER_SOCKET,
  provider,
  settings,
  ask: (mark) => ({
    path: responses.path('', true),
    type: 'application/json',
    body: Buffer.from(JSON.stringify(createMessage(`${provider}/up`, `say ${mark}`))),
  }),
  type: 'text/event-stream',
  pieces: events,
  isStream: true,
});

/** Over an upstream of its own protocol, and of each of the others. */
export const SOCKET_FAMILIES: readonly Family[] = DIALECTS.map(socketFamily);

/** One turn. */
export interface SocketTurn {
  readonly url: string;
  readonly key: string;
  readonly asked: Pick<Asked, 'path' | 'body'>;
  /** Just before it asks. */
  readonly opened?: () => void;
  /** Told each message, and each ping (as nothing). */
  readonly heard?: (text: string) => void;
  /** Breaks the connection off. */
  readonly signal?: AbortSignal;
  /** It is given up after this. */
  readonly withinMs?: number;
}

/** The events that end a turn. */
export const SOCKET_ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error']);

/** What a client was told, as if it had been by HTTP: an error before anything else is a refusal, with the headers that stand in it. */
function gotOf(events: readonly Data[], isWhole: boolean): Got {
  const [first] = events;
  if (first?.type === 'error' && typeof first.status === 'number')
    return { status: first.status, headers: first.headers ?? {}, text: JSON.stringify({ error: first.error }), isWhole };
  const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  return { status: events.length > 0 ? 200 : 0, headers: {}, text, isWhole };
}

/** Asks for one turn over a connection of its own, up to the event that ends it; never rejects. Not whole: the connection broke before that. */
export function overSocket({ url, key, asked, opened, heard, signal, withinMs = 60_000 }: SocketTurn): Promise<Got> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws') + asked.path, {
      headers: { authorization: `Bearer ${key}` },
      perMessageDeflate: false,
    });
    const events: Data[] = [];
    let isWhole = false;
    const deadline = setTimeout(() => socket.terminate(), withinMs);
    signal?.addEventListener('abort', () => socket.terminate());
    socket.on('open', () => {
      opened?.();
      socket.send(asked.body, { binary: false });
    });
    socket.on('ping', () => heard?.(''));
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      const event: Data = JSON.parse(text);
      events.push(event);
      isWhole ||= SOCKET_ENDS.has(event.type);
      heard?.(text);
      if (isWhole) socket.close();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve(gotOf(events, isWhole));
    });
  });
}
