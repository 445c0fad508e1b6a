import type { IncomingMessage, ServerResponse } from 'node:http';
import { callHeaders } from '../../exchange/out-headers.ts';
import type { OutHeaders } from '../../exchange/client-sink.ts';
import { type Fault, gatewayFault } from '../../ir/index.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { letGo } from './read-body.ts';

/** The answer to one kind of refusal in one protocol, all but the id of the call. */
interface Written {
  readonly status: number;
  /** What stands around the id, as often as it is told. */
  readonly pieces: readonly string[];
  readonly bytes: number;
  readonly retryAfter: string;
}

/** Stands where an id will. Ids are as long, so that the length of the answer is known. */
const NO_ID = 'req_00000000000000000000000000';
/** What is longer is not waited for by whoever has too much to do. */
const READ_BYTES = 1024 * 1024;
/** So much comes with the head as a rule: node:http lets it go by itself once the answer is out. */
const SMALL_BYTES = 64 * 1024;
/** A few reasons, each with a few times to come back. */
const MOST = 64;

/** The refusal of one whose connection has no place. */
export const NO_ROOM = {
  ...gatewayFault('overloaded', 'The server has as many connections as it may have (limits.connections). Try again shortly', {
    code: 'connections_full',
  }),
  retryAfterMs: 1000,
};

const written = new WeakMap<ClientCodec, Map<string, Written>>();

function write(client: ClientCodec, fault: Fault): Written {
  const { status, body } = client.encodeFault(fault, NO_ID);
  const text = JSON.stringify(body);
  const retryAfter = String(Math.max(1, Math.ceil((fault.retryAfterMs ?? 0) / 1000)));
  return { status, pieces: text.split(NO_ID), bytes: Buffer.byteLength(text), retryAfter };
}

function writtenFor(client: ClientCodec, fault: Fault): Written {
  let all = written.get(client);
  if (!all) written.set(client, (all = new Map()));
  const about = `${fault.retryAfterMs} ${fault.message}`;
  const known = all.get(about);
  if (known) return known;
  if (all.size >= MOST) all.clear();
  const made = write(client, fault);
  all.set(about, made);
  return made;
}

/** Nobody waits for who takes nothing. */
const STALLED_MS = 10_000;
const ignore = (): void => undefined;
/** A body that has not come with its head. */
const letRestGo = (request: IncomingMessage): void => letGo(request, READ_BYTES);

/**
 * Refuses a call that there is no time for. A flood brings thousands of them a second, and what each costs is missing from the calls that
 * are served: so it is the plain answer, whose text was written before, without what other answers may need.
 */
export function refuseBusy(
  who: { readonly id: string; readonly label?: string; readonly client: ClientCodec },
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
  more: OutHeaders,
): void {
  const { status, pieces, bytes, retryAfter } = writtenFor(who.client, fault);
  const head: (string | readonly string[])[] = [
    'content-type',
    'application/json',
    'content-length',
    String(bytes),
    'retry-after',
    retryAfter,
  ];
  const ids = callHeaders(who);
  for (const name in ids) head.push(name, ids[name] as string);
  for (const name in more) head.push(name, more[name] as string);
  response.on('error', ignore);
  response.writeHead(status, head as string[]);
  response.end(pieces.join(who.id));
  if (response.writableLength > 0) request.socket.setTimeout(STALLED_MS);
  const length = request.headers['content-length'];
  if (length === undefined || Number(length) > SMALL_BYTES) letRestGo(request);
  else setImmediate(letRestGo, request);
}
