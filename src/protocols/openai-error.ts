import { type Fault, type FaultKind, isObject, type Json, type JsonObject, kindOfStatus, statusOfKind, wordTable } from '../ir/index.ts';
import type { WireFault } from './protocol.ts';

/** Errors as both of OpenAI's protocols say them, and as all who copied them do. */

/** `error.type` (docs/notes-and-errors.md, Errors). https://platform.openai.com/docs/guides/error-codes */
const TYPES: Readonly<Record<FaultKind, string>> = {
  bad_request: 'invalid_request_error',
  authentication: 'authentication_error',
  billing: 'insufficient_quota',
  permission: 'permission_error',
  not_found: 'not_found_error',
  conflict: 'invalid_request_error',
  too_large: 'invalid_request_error',
  rate_limit: 'rate_limit_error',
  internal: 'api_error',
  upstream: 'api_error',
  overloaded: 'overloaded_error',
  timeout: 'api_error',
  not_implemented: 'api_error',
};

/** Words of `type` and `code` that say more than the status, or stand in for one in the middle of a stream. */
const WORDS: Readonly<Record<string, FaultKind>> = wordTable({
  invalid_request_error: 'bad_request',
  invalid_request: 'bad_request',
  BadRequestError: 'bad_request',
  content_filter: 'bad_request',
  context_length_exceeded: 'bad_request',
  tool_use_failed: 'bad_request',
  json_validate_failed: 'bad_request',
  authentication_error: 'authentication',
  invalid_api_key: 'authentication',
  insufficient_quota: 'billing',
  insufficient_balance: 'billing',
  billing_error: 'billing',
  billing_hard_limit_reached: 'billing',
  permission_error: 'permission',
  permission_denied: 'permission',
  not_found_error: 'not_found',
  model_not_found: 'not_found',
  request_too_large: 'too_large',
  rate_limit_error: 'rate_limit',
  rate_limit_exceeded: 'rate_limit',
  rate_limit_reached_error: 'rate_limit',
  RateLimitReached: 'rate_limit',
  requests: 'rate_limit',
  tokens: 'rate_limit',
  server_error: 'upstream',
  api_error: 'upstream',
  internal_server_error: 'upstream',
  overloaded_error: 'overloaded',
  engine_overloaded_error: 'overloaded',
  service_unavailable: 'overloaded',
  timeout_error: 'timeout',
});

/** An upstream's own type word goes on where it means the same. */
function typeOf(fault: Fault): string {
  const { rawType, kind } = fault;
  return fault.by === 'upstream' && rawType !== undefined && WORDS[rawType] === kind ? rawType : TYPES[kind];
}

/** The `error` of an envelope. */
export const errorOf = (
  fault: Fault,
): { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null } => ({
  message: fault.message,
  type: typeOf(fault),
  param: fault.param ?? null,
  code: fault.code ?? null,
});

/** The error envelope (docs/notes-and-errors.md, Errors). The request id is in a header: the envelope has no place for it. */
export const encodeFault = (fault: Fault): WireFault => ({ status: fault.status, body: { error: errorOf(fault) } });

/** What a client is told of an upstream's words at most. */
const MAX_MESSAGE = 4096;

const text = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.slice(0, MAX_MESSAGE) : undefined;

/** A code as a word; a status repeated as a number says nothing more. */
const codeOf = (value: Json | undefined): string | undefined => (typeof value === 'number' ? undefined : text(value));

const statusOf = (value: Json | undefined): number | undefined => {
  const number = typeof value === 'number' ? value : typeof value === 'string' && /^[45]\d\d$/.test(value) ? Number(value) : undefined;
  return number !== undefined && Number.isInteger(number) && number >= 400 && number < 600 ? number : undefined;
};

interface Told {
  readonly message?: string | undefined;
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly param?: string | undefined;
  readonly status?: number | undefined;
}

/** FastAPI's list of what is wrong: `[{loc: [...], msg}]` (Mistral, vLLM and many others). */
function tellDetail(detail: Json | undefined): Told {
  if (!Array.isArray(detail)) return isObject(detail) ? tell(detail) : { message: text(detail) };
  const wrong = (detail as readonly Json[]).filter(isObject);
  const where = (one: JsonObject): string =>
    Array.isArray(one['loc']) ? (one['loc'] as readonly Json[]).filter((step) => step !== 'body').join('.') : '';
  const lines = wrong.map((one) => [where(one), text(one['msg']) ?? text(one['message']) ?? ''].filter((word) => word !== '').join(': '));
  return { message: text(lines.join('; ')), param: text(wrong[0] && where(wrong[0])) };
}

/** What stands behind a gateway's own sentence: OpenRouter's `metadata.raw`, a string that may itself be JSON. */
function rawBehind(error: JsonObject): string | undefined {
  const metadata = error['metadata'];
  const raw = isObject(metadata) ? metadata['raw'] : undefined;
  if (typeof raw !== 'string') return undefined;
  const parsed = parse(raw);
  return (isObject(parsed) ? tell(parsed).message : undefined) ?? text(raw);
}

/** The inner object of `{error: {…}}`. */
function tellError(error: JsonObject): Told {
  const message = text(error['message']) ?? tellDetail(error['detail']).message ?? text(error['msg']);
  const raw = rawBehind(error);
  return {
    message: raw !== undefined && raw !== message ? text([message, raw].filter((words) => words !== undefined).join(': ')) : message,
    type: text(error['type']),
    code: codeOf(error['code']) ?? (typeof error['status'] === 'string' ? text(error['status']) : undefined),
    param: text(error['param']),
    status: statusOf(error['code']) ?? statusOf(error['status_code']) ?? statusOf(error['status']),
  };
}

/** Any of the shapes that servers of this wire answer with. */
function tell(value: Json | undefined): Told {
  if (Array.isArray(value)) return tell((value as readonly Json[])[0]);
  if (!isObject(value)) return { message: text(value) };
  const { error } = value;
  if (isObject(error)) return tellError(error);
  const detail = tellDetail(value['detail']);
  return {
    message: text(error) ?? text(value['message']) ?? text(value['msg']) ?? text(value['error_msg']) ?? detail.message,
    type: text(value['type']),
    code: codeOf(value['code']),
    param: text(value['param']) ?? detail.param,
    status: statusOf(value['code']) ?? statusOf(value['status_code']) ?? statusOf(value['status']),
  };
}

function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
}

const named = ({ type, code }: Told): FaultKind | undefined => WORDS[code ?? ''] ?? WORDS[type ?? ''];

/** The status is what SDKs go by; words decide only where it leaves it open: a quota that is used up is 429 at some. */
function kindFor(status: number, told: Told): FaultKind {
  const kind = kindOfStatus(status);
  const word = named(told);
  if (word === 'billing' && (status === 429 || status === 403)) return 'billing';
  return kind === 'internal' || kind === 'upstream' ? (word === 'overloaded' || word === 'timeout' ? word : kind) : kind;
}

function faultOf(status: number, kind: FaultKind, told: Told): Fault {
  const { message, type, code, param } = told;
  return {
    kind,
    status,
    message: message ?? `The upstream answered with status ${status} and no message`,
    by: 'upstream',
    ...(type === undefined ? {} : { rawType: type }),
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  };
}

/**
 * Reads an error body of any shape seen on this wire: OpenAI's, Azure's, Mistral's `{detail}`, Cohere's `{message}`,
 * OpenRouter's with `metadata.raw`, Ollama's and xAI's `{error: "…"}`. Of a page or an empty body only the status is told.
 */
export function decodeFault(status: number, body: string): Fault {
  const parsed = parse(body) ?? parseFrame(body);
  const told = tell(parsed);
  return faultOf(status, kindFor(status, told), told);
}

/** An error that came as a frame of a stream. */
function parseFrame(body: string): Json | undefined {
  const at = body.indexOf('data:');
  if (at < 0 || body.trimStart().startsWith('<')) return undefined;
  const line = body.slice(at + 5).split('\n')[0];
  return parse(line?.trim() ?? '');
}

/** Reads an error where a reply or a chunk was due, under a success status: its own code or word stands for the status. */
export function decodeErrorObject(value: JsonObject): Fault {
  const told = tell(value);
  const word = named(told);
  const status = told.status ?? (word === undefined ? 502 : statusOfKind(word));
  return faultOf(status, kindFor(status, told), told);
}
