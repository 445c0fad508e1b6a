import { createHash } from 'node:crypto';
import { recordHead } from '../../exchange/call-record.ts';
import { callHeaders } from '../../exchange/out-headers.ts';
import { badField, type Fault, GatewayError, gatewayFault, isObject, parseObject } from '../../ir/index.ts';
import type { GatewayPorts, Visit } from './visit.ts';
import { type KeptAnswer, type LostAnswer, RecordingSink, type Unattended } from './recorded-answer.ts';

export type { KeptAnswer, LostAnswer } from './recorded-answer.ts';

/**
 * Answers by owner and `Idempotency-Key`, for 24 hours, bounded in number and bytes.
 *
 * - `begin`: `new`: it is ours to work on; `lost`: it was another process', which is gone, and now it is ours; `running`: it is
 *   being worked on; `different`: the key came with another request before.
 * - `finish` keeps the answer, or that there is none to be had any more; `forget` lets the next request with the key begin anew.
 */
export interface IdempotencyStore {
  begin(owner: string, key: string, fingerprint: string): Promise<'new' | 'lost' | 'running' | 'different' | KeptAnswer | LostAnswer>;
  finish(owner: string, key: string, answer: KeptAnswer | LostAnswer): Promise<void>;
  forget(owner: string, key: string): Promise<void>;
}

/** Doing once what comes twice. */
export interface Idempotency extends Unattended {
  readonly store: IdempotencyStore;
  /** Settles when nothing goes on whose client has left. */
  idle(): Promise<void>;
  /** Ends what goes on without its client. */
  stop(): void;
}

/** Calls that go on in one process though their clients have left. */
const MAX_UNATTENDED = 256;

/** Doing once, over a store of answers. */
export function createIdempotency(store: IdempotencyStore): Idempotency {
  const unattended = new Set<() => void>();
  const idles: (() => void)[] = [];
  return {
    store,
    take(stop) {
      if (unattended.size >= MAX_UNATTENDED) return undefined;
      unattended.add(stop);
      return () => {
        unattended.delete(stop);
        if (unattended.size === 0) for (const idle of idles.splice(0)) idle();
      };
    },
    idle: () => (unattended.size === 0 ? Promise.resolve() : new Promise((resolve) => void idles.push(resolve))),
    stop() {
      for (const stop of unattended) stop();
    },
  };
}

/** Faults after which nothing has happened upstream: the same key may try again. */
const NOTHING_HAPPENED: ReadonlySet<string> = new Set([
  'upstream_unreachable',
  'upstream_unresolved',
  'upstream_connect_timeout',
  'upstream_tls',
  'upstream_credential',
]);

/** Whether a request that ended so may be done again: no upstream has taken it, or it said to come back. */
function mayTryAgain(said: KeptAnswer | LostAnswer, { attempts, fault }: RecordingSink): boolean {
  if (fault && (fault.kind === 'rate_limit' || fault.kind === 'overloaded' || NOTHING_HAPPENED.has(fault.code ?? ''))) return true;
  if ('lost' in said || said.status < 400) return false;
  const { status, body } = said;
  // A refusal that came before any upstream was asked, or a wait that one asked for.
  if ((attempts === 0 && status < 500) || status === 429 || status === 503 || status === 408 || status === 529) return true;
  const error = status < 500 ? undefined : parseObject(body.toString('utf8'))?.['error'];
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

/** Of what was asked: endpoint, query and body. Pieces may be large: they are hashed as they are. */
export function fingerprintOf({ method, path }: Pick<Visit, 'method' | 'path'>, pieces: Iterable<string | Uint8Array>): string {
  // A client's key may stand in the query; whose request it is, is told apart already.
  const query = [...path.query].filter(([name]) => name !== 'key').toSorted();
  const hash = createHash('sha256').update(`${method} ${path.platform ?? ''} ${path.endpoint} ${JSON.stringify(query)}\n`);
  for (const piece of pieces) hash.update(piece);
  return hash.digest('base64url');
}

/** The same answer, under the ids of this request. */
function replay(visit: Visit, { status, headers, body }: KeptAnswer): void {
  const isStream = headers['content-type']?.startsWith('text/event-stream') === true;
  visit.sink.begin(status, { ...callHeaders(visit), ...headers, 'idempotent-replayed': 'true' }, isStream ? undefined : body.length);
  visit.sink.end(body);
}

const conflict = (message: string, code: string, more: Partial<Fault> = {}): GatewayError =>
  new GatewayError(gatewayFault('conflict', message, { param: 'Idempotency-Key', code, ...more }));

const running = (): GatewayError =>
  conflict("A request with this 'Idempotency-Key' is being worked on. Ask again when it has been answered", 'idempotency_key_in_use', {
    retryAfterMs: 2000,
  });

const LOST: Record<LostAnswer['lost'], string> = {
  'too-large': 'its answer was too large to be kept',
  broken: 'its answer broke off',
  gone: 'the process that worked on it has ended, and whether the provider had taken it is not known',
};

/** It has been done, as far as anybody knows, and must not be done again. */
const lost = ({ lost: why }: LostAnswer): GatewayError =>
  conflict(
    `A request with this 'Idempotency-Key' has been made: ${LOST[why]}. Use a new key to have it done again`,
    'idempotency_answer_lost',
  );

const different = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('bad_request', "This 'Idempotency-Key' came with another request before. Use a new key for a new request", {
      param: 'Idempotency-Key',
      code: 'idempotency_key_reused',
    }),
    status: 422,
  });

const unknown = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('overloaded', "Whether this 'Idempotency-Key' came before cannot be looked up now", {
      param: 'Idempotency-Key',
      code: 'store_unavailable',
    }),
    retryAfterMs: 5000,
  });

/** How long the end of an answer waits for its being kept. */
const KEEP_MS = 2000;

/** Settles with the work, or after a while. */
function atMost(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What a request that may come twice consists of. */
interface Idempotent {
  /** `fingerprintOf` what was asked; looked at only where there is a key. */
  readonly fingerprint: () => string;
  /** Does it; the answer goes to this visit's sink. */
  readonly work: (visit: Visit) => Promise<unknown>;
  /** What the record of a repeated answer says. */
  readonly about: { readonly operation: string; readonly asked: unknown };
  /**
   * The process that worked on it is gone. Answers with what it has begun, if it has begun something (`true`); else nothing had
   * been asked of a provider, and it is done anew. Absent: nobody can tell, and it is refused.
   */
  readonly recover?: (visit: Visit) => Promise<boolean>;
}

type Ports = Pick<GatewayPorts, 'idempotency' | 'record' | 'clock' | 'onDefect'>;

async function begin(visit: Visit, key: string, fingerprint: string, { idempotency, onDefect }: Ports) {
  try {
    return await idempotency.store.begin(visit.key.id, key, fingerprint);
  } catch (error) {
    onDefect(error, visit.id);
    throw unknown();
  }
}

function recordRepeat(visit: Visit, { operation, asked }: Idempotent['about'], status: number, { record, clock }: Ports): void {
  record({
    ...recordHead(visit, operation, typeof asked === 'string' ? asked : ''),
    status,
    attempts: 0,
    durationMs: clock.monotonic() - visit.started,
    endedBy: 'gateway',
    cache: 'repeat',
  });
}

/** Does the work and keeps what came of it; that the answer cannot be kept is no trouble of the client, who has it. */
async function keep(visit: Visit, key: string, work: (within: Visit) => Promise<unknown>, { idempotency, onDefect }: Ports): Promise<void> {
  const { store } = idempotency;
  const owner = visit.key.id;
  const sink = new RecordingSink(visit.sink, idempotency);
  let isRefused = false;
  try {
    await work({ ...visit, sink });
  } catch (error) {
    // A refusal before anything was asked of a provider: it is told further up.
    isRefused = error instanceof GatewayError;
    throw error;
  } finally {
    const said = sink.answer() ?? (isRefused ? undefined : ({ lost: 'broken' } as const));
    const isOpen = said === undefined || mayTryAgain(said, sink);
    const settled = (isOpen ? store.forget(owner, key) : store.finish(owner, key, said)).catch((error: unknown) =>
      onDefect(error, visit.id),
    );
    await atMost(KEEP_MS, settled);
    sink.release();
  }
}

/**
 * Does what a request asks for once for each `Idempotency-Key` of its owner: with the same body the same answer comes again; while
 * it is being worked on, 409; with another body, 422; where the answer was lost, a 409 that says so. Without the header it is simply
 * done. Failures that are worth another try are not kept.
 */
export function onlyOnce(visit: Visit, ports: Ports, asked: Idempotent): Promise<unknown> {
  const key = idempotencyKey(visit);
  return key === undefined ? asked.work(visit) : once(visit, key, ports, asked);
}

async function once(visit: Visit, key: string, ports: Ports, { fingerprint, work, about, recover }: Idempotent): Promise<unknown> {
  const found = await begin(visit, key, fingerprint(), ports);
  if (found === 'running') throw running();
  if (found === 'different') throw different();
  if (typeof found === 'object') {
    if ('lost' in found) throw lost(found);
    replay(visit, found);
    return recordRepeat(visit, about, found.status, ports);
  }
  if (found === 'new') return keep(visit, key, work, ports);
  if (!recover) {
    await ports.idempotency.store.finish(visit.key.id, key, { lost: 'gone' });
    throw lost({ lost: 'gone' });
  }
  return keep(visit, key, async (within) => (await recover(within)) || work(within), ports);
}
