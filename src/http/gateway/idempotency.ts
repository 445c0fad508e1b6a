import { createHash } from 'node:crypto';
import type { ClientSink, OutHeaders } from '../../exchange/client-sink.ts';
import { badField, GatewayError, gatewayFault, parseObject, isObject } from '../../ir/index.ts';
import type { Visit } from './handle.ts';

/** An answer that is kept to be given again. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Answers by owner and `Idempotency-Key`, for 24 hours, bounded in number and bytes.
 *
 * - `begin`: `new`: it is ours to work on; `lost`: it was another process', which is gone, and now it is ours; `running`: it is
 *   being worked on; `different`: the key came with another request before.
 * - `finish` keeps the answer; `forget` lets the next request with the key begin anew.
 */
export interface IdempotencyStore {
  begin(owner: string, key: string, fingerprint: string): Promise<'new' | 'lost' | 'running' | 'different' | KeptAnswer>;
  finish(owner: string, key: string, answer: KeptAnswer): Promise<void>;
  forget(owner: string, key: string): Promise<void>;
}

/** The largest answer that is kept. */
const MAX_BYTES = 1024 * 1024;

/** Faults after which nothing has happened upstream: the same key may try again. */
const NOTHING_HAPPENED: ReadonlySet<string> = new Set([
  'upstream_unreachable',
  'upstream_unresolved',
  'upstream_connect_timeout',
  'upstream_tls',
  'upstream_credential',
]);

/** Whether an answer says that it is worth trying again. */
function mayTryAgain({ status, body }: KeptAnswer): boolean {
  if (status === 429 || status === 503 || status === 408 || status === 529) return true;
  if (status < 500) return false;
  const error = parseObject(body)?.['error'];
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' && NOTHING_HAPPENED.has(code);
}

/** The client's `Idempotency-Key`. Throws the 400 where it cannot be one. */
export function idempotencyKey({ headers }: Pick<Visit, 'headers'>): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || key === '') return undefined;
  if (typeof key === 'string' && /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw badField('Idempotency-Key', "Invalid request: 'Idempotency-Key' must be at most 255 printable characters");
}

/** Of what was asked: endpoint and body. Pieces may be large: they are hashed as they are. */
export function fingerprintOf(visit: Pick<Visit, 'method' | 'path'>, pieces: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha256').update(`${visit.method} ${visit.path.platform ?? ''} ${visit.path.endpoint}\n`);
  for (const piece of pieces) hash.update(piece);
  return hash.digest('base64url');
}

/** Sees what goes to a client. */
function recording(sink: ClientSink): { readonly sink: ClientSink; answer(): KeptAnswer | 'too-large' | undefined } {
  let status = 0;
  let kept: Record<string, string> = {};
  const pieces: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  const take = (piece: Buffer | string | undefined): void => {
    if (piece === undefined || bytes > MAX_BYTES) return;
    const data = typeof piece === 'string' ? Buffer.from(piece) : piece;
    bytes += data.length;
    pieces.push(data);
  };
  return {
    answer() {
      if (!isOver) return undefined;
      return bytes > MAX_BYTES ? 'too-large' : { status, headers: kept, body: Buffer.concat(pieces).toString('utf8') };
    },
    sink: {
      get begun() {
        return sink.begun;
      },
      get closed() {
        return sink.closed;
      },
      begin(code, headers: OutHeaders, length) {
        status = code;
        kept = Object.fromEntries(
          Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string' && !ID_HEADERS.has(entry[0])),
        );
        sink.begin(code, headers, length);
      },
      write(piece) {
        take(piece);
        return sink.write(piece);
      },
      end(piece) {
        take(piece);
        isOver = true;
        sink.end(piece);
      },
      abort: () => sink.abort(),
      onGone: (listener) => sink.onGone(listener),
      onDrain: (listener) => sink.onDrain(listener),
    },
  };
}

/** Each answer has its own. */
const ID_HEADERS: ReadonlySet<string> = new Set(['x-request-id', 'x-pailou-request-id', 'request-id', 'x-pailou-overhead-ms']);

function replay(visit: Visit, { status, headers, body }: KeptAnswer): void {
  const bytes = Buffer.from(body);
  visit.sink.begin(
    status,
    { 'x-request-id': visit.label ?? visit.id, 'x-pailou-request-id': visit.id, ...headers, 'idempotent-replayed': 'true' },
    bytes.length,
  );
  visit.sink.end(bytes);
}

const running = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('conflict', "A request with this 'Idempotency-Key' is being worked on. Ask again when it has been answered", {
      param: 'Idempotency-Key',
      code: 'idempotency_key_in_use',
    }),
    retryAfterMs: 2000,
  });

const different = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('bad_request', "This 'Idempotency-Key' came with another request before. Use a new key for a new request", {
      param: 'Idempotency-Key',
      code: 'idempotency_key_reused',
    }),
    status: 422,
  });

/** What a request that may come twice consists of. */
interface Idempotent {
  /** `fingerprintOf` what was asked. */
  readonly fingerprint: string;
  /** Does it; the answer goes to this visit's sink. */
  readonly work: (visit: Visit) => Promise<void>;
  /**
   * The process that worked on it is gone. Answers with what it has begun, if it has begun something (`true`); else it is done anew.
   * Absent: it is done anew.
   */
  readonly recover?: (visit: Visit) => Promise<boolean>;
}

/**
 * Does what a request asks for once for each `Idempotency-Key` of its owner: with the same body the same answer comes again; while
 * it is being worked on, 409; with another body, 422. Without the header it is simply done. Failures that are worth another try
 * are not kept.
 */
export async function onlyOnce(visit: Visit, store: IdempotencyStore, { fingerprint, work, recover }: Idempotent): Promise<void> {
  const key = idempotencyKey(visit);
  if (key === undefined) return work(visit);
  const owner = visit.key.id;
  const found = await store.begin(owner, key, fingerprint);
  if (found === 'running') throw running();
  if (found === 'different') throw different();
  if (typeof found === 'object') return replay(visit, found);
  const { sink, answer } = recording(visit.sink);
  try {
    const isThere = found === 'lost' && (await recover?.({ ...visit, sink })) === true;
    if (!isThere) await work({ ...visit, sink });
  } finally {
    const said = answer();
    if (said === undefined || said === 'too-large' || mayTryAgain(said)) await store.forget(owner, key);
    else await store.finish(owner, key, said);
  }
}
