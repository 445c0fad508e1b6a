import { type Fault, gatewayFault, type Notes } from '../../ir/index.ts';
import type { UpstreamHeaders, UpstreamSink } from '../../upstream/send.ts';
import type { AttemptEnd, Call, Target } from '../call.ts';
import type { ClientSink, OutHeaders } from '../client-sink.ts';
import { passHeaders, routedHeaders } from '../out-headers.ts';

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
}

/** How a successful answer is taken. */
export interface AnswerMode {
  body(bytes: Buffer): boolean;
  end(): void;
  fail(fault: Fault): void;
}

/** The largest reply that is held in memory to be translated, and the largest error body that is read. */
export const MAX_WHOLE_BYTES = 64 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;

/** One header of an upstream as a string. */
export const headerOf = (headers: UpstreamHeaders, name: string): string => {
  const value = headers[name];
  return value === undefined ? '' : typeof value === 'string' ? value : (value[0] ?? '');
};

/** Reply headers for a client: ids, routing, and the upstream's that pass. */
export function laneHeaders(context: LaneContext, upstream: UpstreamHeaders, contentType: string): OutHeaders {
  const headers = routedHeaders(context.call, context.target, context.attempt, context.overheadMs(), context.notes.list);
  passHeaders(upstream, headers);
  headers['content-type'] = contentType;
  return headers;
}

/** `Retry-After` in both forms, and `retry-after-ms`, as milliseconds from now. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
export function retryAfterMs(headers: UpstreamHeaders, now: number): number | undefined {
  const exact = Number.parseFloat(headerOf(headers, 'retry-after-ms'));
  if (exact >= 0) return exact;
  const text = headerOf(headers, 'retry-after');
  if (text === '') return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What a client is told of an upstream's error status: its own mistakes as they are, ours never by their details. */
function faultOfAnswer(context: LaneContext, status: number, headers: UpstreamHeaders, body: string): Fault {
  const { codec, provider } = context.target;
  if (status < 400) {
    return gatewayFault('upstream', `Provider '${provider.name}' answered with a redirect (HTTP ${status}), which is not followed`, {
      code: 'upstream_redirect',
    });
  }
  const read = codec.decodeFault(status, body);
  if (
    status === 401 ||
    status === 402 ||
    status === 403 ||
    read.kind === 'authentication' ||
    read.kind === 'permission' ||
    read.kind === 'billing'
  ) {
    return gatewayFault(
      'upstream',
      `Provider '${provider.name}' refused the gateway's credential (HTTP ${status}). Check its key in the configuration`,
      {
        code: 'upstream_credential',
      },
    );
  }
  const wait = retryAfterMs(headers, context.now());
  const fault = wait === undefined ? read : { ...read, retryAfterMs: wait };
  if (status < 500) return fault;
  // A provider's own 5xx is not a fault of the gateway (500): every target failed, or it is overloaded.
  const kind = read.kind === 'overloaded' || status === 503 || status === 529 ? 'overloaded' : status === 504 ? 'timeout' : 'upstream';
  return { ...fault, kind, status: kind === 'overloaded' ? 503 : kind === 'timeout' ? 504 : 502 };
}

function errorMode(context: LaneContext, status: number, headers: UpstreamHeaders): AnswerMode {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => {
    const body = Buffer.concat(pieces);
    const fault = faultOfAnswer(context, status, headers, body.toString('utf8'));
    const own = fault.by === 'upstream' && fault.status === status && context.target.lane === 'raw';
    const contentType = headerOf(headers, 'content-type');
    const passed: OutHeaders = {};
    passHeaders(headers, passed);
    context.done({
      fault,
      endedBy: 'upstream',
      ...(own && contentType.includes('json')
        ? { errorBody: { status, contentType, body, headers: passed as Record<string, string> } }
        : {}),
    });
  };
  return {
    body(chunk) {
      bytes += chunk.length;
      if (bytes <= MAX_ERROR_BYTES) pieces.push(chunk);
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
): UpstreamSink {
  let mode: AnswerMode | undefined;
  return {
    head(status, headers) {
      mode = status >= 300 ? errorMode(context, status, headers) : pick(status, headers, headerOf(headers, 'content-type').toLowerCase());
    },
    body: (bytes) => (mode ? mode.body(bytes) : true),
    end() {
      mode?.end();
    },
    fail(fault) {
      if (mode) mode.fail(fault);
      else context.done({ fault, endedBy: 'upstream' });
    },
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
  const pieces: Buffer[] = [];
  let bytes = 0;
  let over = false;
  return {
    body(chunk) {
      if (over) return true;
      bytes += chunk.length;
      pieces.push(chunk);
      if (bytes > MAX_WHOLE_BYTES) {
        over = true;
        context.abortUpstream();
        context.done({ fault: notAnAnswer(context, 'more than can be held'), endedBy: 'gateway' });
      }
      return true;
    },
    end() {
      if (!over) onWhole(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes));
    },
    fail(fault) {
      if (!over) context.done({ fault, endedBy: 'upstream' });
    },
  };
}
