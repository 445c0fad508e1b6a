import { type Fault, gatewayFault, type Notes } from '../../ir/index.ts';
import type { ProviderCodec } from '../../protocols/protocol.ts';
import type { UpstreamHeaders, UpstreamSink } from '../../upstream/send.ts';
import type { AttemptEnd, Call, Target } from '../call.ts';
import type { ClientSink, OutHeaders } from '../client-sink.ts';
import { createHeldBytes } from '../../wire/held-bytes.ts';
import { hideInBytes, hideInFault, type Hidden } from '../hide-secrets.ts';
import { passHeaders, routedHeaders } from '../out-headers.ts';
import { inflated } from './inflate.ts';
import type { ShowImage } from './shown-images.ts';

/** What a lane works with: one attempt of one call. */
export interface LaneContext {
  readonly call: Call;
  readonly target: Target;
  readonly sink: ClientSink;
  readonly notes: Notes;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Milliseconds of the gateway's own work until now. */
  readonly overheadMs: () => number;
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
  /** The first event of content has come. */
  readonly onFirstToken: () => void;
  /** Comes exactly once. */
  readonly done: (end: AttemptEnd) => void;
  /** Stops the upstream: what more it says does not matter. */
  readonly abortUpstream: () => void;
  /** Lets a paused upstream go on; what stands between it and the lane puts itself in here. */
  resumeUpstream: () => void;
  /** A defect of ours: told to the operator, never to the client. */
  readonly onDefect: (error: unknown) => void;
  /** Images that the model makes are shown in the text as well: by an address, or `inline`. */
  readonly showImage?: ShowImage | 'inline';
}

/** What is known of a reply so far: for the record when the client leaves in the middle. */
export type SoFar = Pick<AttemptEnd, 'usage' | 'stop' | 'upstreamModel'>;

/** Takes an upstream's answer and gives it to the client. */
export interface Lane extends UpstreamSink {
  soFar(): SoFar;
}

/** How a successful answer is taken. */
export interface AnswerMode {
  body(bytes: Buffer): boolean;
  end(): void;
  fail(fault: Fault): void;
  soFar?(): SoFar;
}

/** The largest reply that is held in memory to be translated, and the largest error body that is read. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;

/** One header of an upstream as a string. */
export const headerOf = (headers: UpstreamHeaders, name: string): string => {
  const value = headers[name];
  return value === undefined ? '' : typeof value === 'string' ? value : (value[0] ?? '');
};

/** Reply headers for a client: ids, routing, and the upstream's that pass. */
export function laneHeaders(context: LaneContext, upstream: UpstreamHeaders, contentType: string): OutHeaders {
  const headers = routedHeaders(context.call, context.target, context.attempt, context.overheadMs(), context.notes.list);
  passHeaders(upstream, headers, context.call.client.id, context.now);
  headers['content-type'] = contentType;
  return headers;
}

/** `Retry-After` in both forms, and `retry-after-ms`, as milliseconds from now. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMs(headers: UpstreamHeaders, now: number): number | undefined {
  const exact = Number.parseFloat(headerOf(headers, 'retry-after-ms'));
  if (exact >= 0) return exact;
  const text = headerOf(headers, 'retry-after');
  if (text === '') return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Who answered, and how its errors are read. */
export interface FaultSource {
  readonly target: {
    readonly provider: { readonly name: string; readonly settings?: Hidden };
    readonly codec: Pick<ProviderCodec, 'decodeFault'>;
  };
  readonly now: () => number;
}

/** What a client is told of an upstream's error status: its own mistakes as they are, ours never by their details. */
export function faultOfAnswer(context: FaultSource, status: number, headers: UpstreamHeaders, body: string): Fault {
  const { codec, provider } = context.target;
  if (status < 400) {
    return gatewayFault('upstream', `Provider '${provider.name}' answered with a redirect (HTTP ${status}), which is not followed`, {
      code: 'upstream_redirect',
    });
  }
  if (status === 401 || status === 402 || status === 403) {
    // Some say with a 401 or 403 that nothing is left to spend: their words tell.
    const isSpent = status === 402 || codec.decodeFault(status, body).kind === 'billing';
    return credentialFault(context, ` (HTTP ${status})`, isSpent);
  }
  const wait = retryAfterMs(headers, context.now());
  const read = codec.decodeFault(status, body);
  return ownFault(context, wait === undefined ? read : { ...read, retryAfterMs: wait });
}

const credentialFault = (context: FaultSource, how: string, isSpent: boolean): Fault =>
  gatewayFault(
    'upstream',
    `Provider '${context.target.provider.name}' refused the gateway's credential${how}. Check its key in the configuration`,
    { code: 'upstream_credential', ...(isSpent ? { quota: true } : {}) },
  );

/**
 * An upstream's fault as the client is told of it, wherever it stood (a status, a body, an event): the client's own mistakes
 * as they are; what concerns our credential, and the upstream's own failures, as faults behind the gateway.
 */
export function ownFault(context: FaultSource, fault: Fault): Fault {
  if (fault.by !== 'upstream') return fault;
  return hideInFault(context.target.provider.settings, withOwnStatus(context, fault));
}

function withOwnStatus(context: FaultSource, fault: Fault): Fault {
  switch (fault.kind) {
    case 'authentication':
    case 'permission':
    case 'billing':
      return credentialFault(context, fault.status >= 400 ? ` (HTTP ${fault.status})` : '', fault.kind === 'billing');
    case 'overloaded':
      return { ...fault, status: 503 };
    case 'timeout':
      return fault.status >= 500 ? { ...fault, status: 504 } : fault;
    default:
      return fault.status >= 500 || fault.status < 400 ? { ...fault, kind: 'upstream', status: 502 } : fault;
  }
}

function errorMode(context: LaneContext, status: number, headers: UpstreamHeaders): AnswerMode {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    const body = Buffer.concat(pieces);
    const fault = faultOfAnswer(context, status, headers, body.toString('utf8'));
    const own = fault.by === 'upstream' && fault.status === status && status < 500 && context.target.lane === 'raw';
    const contentType = headerOf(headers, 'content-type');
    const passed: OutHeaders = {};
    passHeaders(headers, passed, context.call.client.id, context.now);
    context.done({
      fault,
      endedBy: 'upstream',
      headers: passed,
      ...(own && contentType.includes('json')
        ? { errorBody: { status, contentType, body: hideInBytes(context.target.provider.settings, body) } }
        : {}),
    });
  };
  return {
    body(chunk) {
      if (over) return true;
      bytes += chunk.length;
      pieces.push(chunk);
      if (bytes > MAX_ERROR_BYTES) {
        context.abortUpstream();
        finish();
      }
      return true;
    },
    end: finish,
    // The status is known: that the rest of its text was cut changes nothing.
    fail: finish,
  };
}

/**
 * The upstream's answer up to the point where lanes part: error statuses and redirects end the attempt before the client
 * has seen anything; `pick` takes the others by their content type.
 */
export function createAnswer(
  context: LaneContext,
  pick: (status: number, headers: UpstreamHeaders, contentType: string) => AnswerMode,
): Lane {
  let mode: AnswerMode | undefined;
  return {
    head(status, headers) {
      mode = status >= 300 ? errorMode(context, status, headers) : pick(status, headers, headerOf(headers, 'content-type').toLowerCase());
      const encoding = headerOf(headers, 'content-encoding').trim().toLowerCase();
      if (encoding !== '' && encoding !== 'identity') mode = inflated(mode, encoding, context);
    },
    body: (bytes) => (mode ? mode.body(bytes) : true),
    end() {
      mode?.end();
    },
    fail(fault) {
      if (mode) mode.fail(fault);
      else context.done({ fault, endedBy: 'upstream' });
    },
    soFar: () => mode?.soFar?.() ?? {},
  };
}

/** The fault of an answer with a success status that is none: HTML, nothing, something else. */
export function notAnAnswer(context: LaneContext, what: string): Fault {
  return gatewayFault('upstream', `Provider '${context.target.provider.name}' answered with ${what} instead of a reply`, {
    code: 'upstream_malformed',
  });
}

/** Collects a whole answer of bounded size and hands it over; too large is a fault. */
export function collectMode(context: LaneContext, onWhole: (body: Buffer) => void): AnswerMode {
  const held = createHeldBytes();
  let over = false;
  return {
    body(chunk) {
      if (over) return true;
      if (held.length() === 0) context.onFirstToken();
      held.add(chunk);
      if (held.length() > MAX_WHOLE_BYTES) {
        over = true;
        context.abortUpstream();
        context.done({ fault: notAnAnswer(context, 'more than can be held'), endedBy: 'gateway' });
      }
      return true;
    },
    end() {
      if (!over) onWhole(held.whole());
    },
    fail(fault) {
      if (!over) context.done({ fault, endedBy: 'upstream' });
    },
  };
}

/** An answer of a type that no lane reads: a page, a text, nothing. */
export function wrongTypeMode(context: LaneContext, contentType: string): AnswerMode {
  const type = contentType.split(';', 1)[0]?.trim().slice(0, 100) ?? '';
  let bytes = 0;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    context.done({ fault: notAnAnswer(context, bytes === 0 ? 'an empty body' : `'${type}'`), endedBy: 'upstream' });
  };
  return {
    body(chunk) {
      bytes += chunk.length;
      if (!over && bytes > MAX_ERROR_BYTES) {
        context.abortUpstream();
        finish();
      }
      return true;
    },
    end: finish,
    fail: finish,
  };
}
