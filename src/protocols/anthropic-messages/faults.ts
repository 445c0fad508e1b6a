import { type Fault, type FaultKind, isObject, type Json, type JsonObject, kindOfStatus, wordTable } from '../../ir/index.ts';
import type { WireFault, WriteFrame } from '../protocol.ts';

/** https://docs.claude.com/en/api/errors */
const WIRE: Readonly<Record<FaultKind, { readonly type: string; readonly status: number }>> = {
  bad_request: { type: 'invalid_request_error', status: 400 },
  authentication: { type: 'authentication_error', status: 401 },
  billing: { type: 'billing_error', status: 402 },
  permission: { type: 'permission_error', status: 403 },
  not_found: { type: 'not_found_error', status: 404 },
  conflict: { type: 'invalid_request_error', status: 409 },
  too_large: { type: 'request_too_large', status: 413 },
  rate_limit: { type: 'rate_limit_error', status: 429 },
  internal: { type: 'api_error', status: 500 },
  upstream: { type: 'api_error', status: 502 },
  overloaded: { type: 'overloaded_error', status: 529 },
  timeout: { type: 'timeout_error', status: 504 },
  not_implemented: { type: 'api_error', status: 501 },
};

const KINDS: Readonly<Record<string, FaultKind>> = wordTable({
  invalid_request_error: 'bad_request',
  authentication_error: 'authentication',
  billing_error: 'billing',
  permission_error: 'permission',
  not_found_error: 'not_found',
  request_too_large: 'too_large',
  rate_limit_error: 'rate_limit',
  timeout_error: 'timeout',
  api_error: 'upstream',
  overloaded_error: 'overloaded',
});

/** The status of an error that came without one: in the middle of a stream. */
const STATUS: Readonly<Record<string, number>> = wordTable({
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  timeout_error: 504,
  api_error: 500,
  overloaded_error: 529,
});

function errorOf(fault: Fault): JsonObject {
  const usual = WIRE[fault.kind].type;
  const type = fault.rawType !== undefined && KINDS[fault.rawType] === fault.kind ? fault.rawType : usual;
  return { type, message: fault.message, ...(isObject(fault.details) ? { details: fault.details } : {}) };
}

function bodyOf(fault: Fault, requestId: string): JsonObject {
  return { type: 'error', error: errorOf(fault), ...(requestId === '' ? {} : { request_id: requestId }) };
}

/** The error envelope (docs/notes-and-errors.md, Errors); overload has a status of its own here. */
export const encodeFault = (fault: Fault, requestId: string): WireFault => ({
  status: fault.kind === 'overloaded' ? WIRE.overloaded.status : fault.status,
  body: bodyOf(fault, requestId),
});

/** An error in a stream that has begun. Nothing follows it. */
export function faultFrame(fault: Fault, requestId: string, write: WriteFrame): void {
  write(JSON.stringify(bodyOf(fault, requestId)), 'error');
}

const MAX_MESSAGE = 2000;

const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, MAX_MESSAGE) : undefined;

function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
}

interface Told {
  readonly message?: string | undefined;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  readonly details?: Json | undefined;
}

/** The inner object of `{error: {…}}`: this dialect's own, OpenAI's, or Google's. */
function tellError(error: JsonObject): Told {
  const code = error['code'];
  return {
    message: text(error['message']),
    type: text(error['type']) ?? text(error['status']),
    code: typeof code === 'number' ? String(code) : text(code),
    param: text(error['param']),
    details: error['details'],
  };
}

/** Any of the shapes that servers of this wire answer with. */
function tell(value: Json | undefined): Told {
  if (Array.isArray(value)) return tell((value as readonly Json[])[0]);
  if (!isObject(value)) return { message: text(value) };
  const { error } = value;
  if (isObject(error)) return tellError(error);
  const detail =
    isObject(value['detail']) || Array.isArray(value['detail']) ? JSON.stringify(value['detail']).slice(0, MAX_MESSAGE) : value['detail'];
  const message = text(error) ?? text(value['message']) ?? text(value['Message']) ?? text(value['msg']) ?? text(detail);
  return { message, type: text(value['__type']) ?? text(value['type']), code: text(value['code']) };
}

/** What to say when the body says nothing: never its raw bytes, which may be a page of a proxy. */
const silent = (status: number): string => `The upstream answered with status ${status} and no message`;

/** An account with nothing left to spend is told of as a bad request. At its beginning only: what callers write may be quoted further on. */
const SPENT = /^Your credit balance is too low\b/;

function kindFor(status: number, { type, message = '' }: Told): FaultKind {
  if (status === 400 && SPENT.test(message)) return 'billing';
  const named = type === undefined ? undefined : KINDS[type];
  // The status is what SDKs go by; the word decides only where the status leaves it open.
  if (status === 500 || status === 200 || status === 400) return named ?? (status === 400 ? 'bad_request' : 'upstream');
  return kindOfStatus(status);
}

function faultOf(status: number, told: Told): Fault {
  const { message, type, code, param, details } = told;
  return {
    kind: kindFor(status, told),
    status,
    message: message ?? silent(status),
    by: 'upstream',
    ...(type === undefined ? {} : { rawType: type }),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
    ...(isObject(details) ? { details } : {}),
  };
}

/** Reads an error body, whatever its shape: this dialect's, OpenAI's, Google's, AWS's, a bare text or page, or nothing. */
export function decodeFault(status: number, body: string): Fault {
  const parsed = parse(body);
  return faultOf(status, parsed === undefined ? {} : tell(parsed));
}

/** Reads an `error` event of a stream, or an error where a reply was due: the type's word stands for the status. */
export function decodeErrorEvent(value: JsonObject): Fault {
  const told = tell(value);
  return faultOf((told.type === undefined ? undefined : STATUS[told.type]) ?? 500, told);
}
