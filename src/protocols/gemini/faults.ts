import { type Fault, type FaultKind, isObject, type Json, type JsonObject, kindOfStatus, wordTable } from '../../ir/index.ts';
import type { WireFault, WriteFrame } from '../protocol.ts';
import { objects, str } from './dialect.ts';

/** `error.status` (docs/notes-and-errors.md, Errors). https://cloud.google.com/apis/design/errors */
const STATUS_WORDS: Readonly<Record<FaultKind, string>> = {
  bad_request: 'INVALID_ARGUMENT',
  authentication: 'UNAUTHENTICATED',
  billing: 'RESOURCE_EXHAUSTED',
  permission: 'PERMISSION_DENIED',
  not_found: 'NOT_FOUND',
  conflict: 'ABORTED',
  too_large: 'INVALID_ARGUMENT',
  rate_limit: 'RESOURCE_EXHAUSTED',
  internal: 'INTERNAL',
  upstream: 'UNAVAILABLE',
  overloaded: 'UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
  not_implemented: 'UNIMPLEMENTED',
};

const KINDS: Readonly<Record<string, { readonly kind: FaultKind; readonly status: number }>> = wordTable({
  INVALID_ARGUMENT: { kind: 'bad_request', status: 400 },
  FAILED_PRECONDITION: { kind: 'bad_request', status: 400 },
  OUT_OF_RANGE: { kind: 'bad_request', status: 400 },
  UNAUTHENTICATED: { kind: 'authentication', status: 401 },
  PERMISSION_DENIED: { kind: 'permission', status: 403 },
  NOT_FOUND: { kind: 'not_found', status: 404 },
  ABORTED: { kind: 'conflict', status: 409 },
  ALREADY_EXISTS: { kind: 'conflict', status: 409 },
  RESOURCE_EXHAUSTED: { kind: 'rate_limit', status: 429 },
  CANCELLED: { kind: 'upstream', status: 499 },
  INTERNAL: { kind: 'upstream', status: 500 },
  UNKNOWN: { kind: 'upstream', status: 500 },
  UNIMPLEMENTED: { kind: 'not_implemented', status: 501 },
  UNAVAILABLE: { kind: 'overloaded', status: 503 },
  DEADLINE_EXCEEDED: { kind: 'timeout', status: 504 },
});

const TYPE = 'type.googleapis.com/google.rpc.';

/** What other dialects say in members of their own, as details. https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto */
function detailsOf(fault: Fault, requestId: string): readonly Json[] {
  if (Array.isArray(fault.details)) return fault.details as readonly Json[];
  const { code, param, message, retryAfterMs } = fault;
  return [
    ...(code === undefined
      ? []
      : [{ '@type': `${TYPE}ErrorInfo`, reason: code.replaceAll(/[^A-Za-z0-9]+/g, '_').toUpperCase(), domain: 'pailou' }]),
    ...(param === undefined ? [] : [{ '@type': `${TYPE}BadRequest`, fieldViolations: [{ field: param, description: message }] }]),
    ...(retryAfterMs === undefined ? [] : [{ '@type': `${TYPE}RetryInfo`, retryDelay: `${Math.ceil(retryAfterMs / 1000)}s` }]),
    ...(requestId === '' ? [] : [{ '@type': `${TYPE}RequestInfo`, requestId }]),
  ];
}

/** An upstream's own word goes on where it means the same. */
function wordOf({ rawType, kind, by, status }: Fault): string {
  const known = by === 'upstream' && rawType !== undefined ? KINDS[rawType] : undefined;
  return rawType !== undefined && known?.kind === kind && known.status === status ? rawType : STATUS_WORDS[kind];
}

function bodyOf(fault: Fault, requestId: string): JsonObject {
  const details = detailsOf(fault, requestId);
  return {
    error: { code: fault.status, message: fault.message, status: wordOf(fault), ...(details.length > 0 ? { details } : {}) },
  };
}

/** The error envelope (docs/notes-and-errors.md, Errors). */
export const encodeFault = (fault: Fault, requestId: string): WireFault => ({ status: fault.status, body: bodyOf(fault, requestId) });

/** An error in a stream that has begun: SDKs raise on a chunk with `error`. Nothing follows it. */
export function faultFrame(fault: Fault, requestId: string, write: WriteFrame): void {
  write(JSON.stringify(bodyOf(fault, requestId)));
}

/** What a client is told of an upstream's words at most. */
const MAX_MESSAGE = 4096;

const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.slice(0, MAX_MESSAGE) : undefined;

function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
}

/** A body that is an error event of a stream, as Google answers requests with `alt=sse`. */
const sseData = (body: string): Json | undefined => {
  const lines = body.split(/\r\n|\r|\n/).filter((line) => line.startsWith('data:'));
  return lines.length > 0 ? parse(lines.map((line) => line.slice(5)).join('\n')) : undefined;
};

const detail = (error: JsonObject, type: string): JsonObject | undefined =>
  objects(error['details']).find((one) => str(one['@type']) === TYPE + type);

/** `34.07s` in milliseconds. */
function retryAfter(error: JsonObject): number | undefined {
  const match = /^(\d+(?:\.\d+)?)s$/.exec(str(detail(error, 'RetryInfo')?.['retryDelay']));
  return match ? Math.ceil(Number(match[1]) * 1000) : undefined;
}

/** Reasons that say more than the status: Google refuses a bad key with 400. */
const REASONS: Readonly<Record<string, FaultKind>> = wordTable({
  API_KEY_INVALID: 'authentication',
  API_KEY_EXPIRED: 'authentication',
  BILLING_DISABLED: 'billing',
});

const statusIn = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 400 && value < 600 ? value : undefined;

const silent = (status: number): string => `The upstream answered with status ${status} and no message`;

/** `status`: of the answer, where it had one that was an error's. */
function faultOf(status: number | undefined, error: JsonObject): Fault {
  const word = text(error['status']);
  const named = word === undefined ? undefined : KINDS[word];
  const reason = text(detail(error, 'ErrorInfo')?.['reason']);
  const finer = reason === undefined ? undefined : REASONS[reason];
  const told = status ?? statusIn(error['code']) ?? named?.status ?? 502;
  const violation = objects(detail(error, 'BadRequest')?.['fieldViolations'])[0];
  const retryAfterMs = retryAfter(error);
  const code = reason ?? text(error['type']);
  return {
    kind: finer ?? (told === 500 || told === 502 ? 'upstream' : kindOfStatus(told)),
    status: told,
    message: text(error['message']) ?? text(error['detail']) ?? text(error['msg']) ?? silent(told),
    by: 'upstream',
    ...(word === undefined ? {} : { rawType: word }),
    ...(code === undefined ? {} : { code }),
    ...(text(violation?.['field']) === undefined ? {} : { param: str(violation?.['field']) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(Array.isArray(error['details']) ? { details: error['details'] } : {}),
  };
}

/** The error inside any of the shapes that servers of this wire answer with. */
function errorIn(value: Json | undefined): JsonObject {
  if (Array.isArray(value))
    return errorIn((value as readonly Json[]).find((one) => isObject(one) && one['error'] !== undefined) ?? value[0]);
  if (!isObject(value)) return typeof value === 'string' ? { message: value } : {};
  const { error } = value;
  if (isObject(error)) return error;
  return typeof error === 'string' ? { message: error } : value;
}

/** Reads an error body: Google's object, the same in a list or as an event, OpenAI's, a bare text or page, or nothing. */
export const decodeFault = (status: number, body: string): Fault => faultOf(status, errorIn(parse(body) ?? sseData(body)));

/** Whether an object is an error where a reply or a chunk was due. */
export const isError = (body: JsonObject): boolean => body['error'] !== undefined && body['error'] !== null;

/** Reads an error where a reply or a chunk was due: its own code stands for the status. */
export const decodeErrorObject = (body: JsonObject): Fault => faultOf(undefined, errorIn(body));
