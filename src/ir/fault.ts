/** What went wrong, in the closed words that every protocol's envelope is written from (docs/notes-and-errors.md, Errors). */
export type FaultKind =
  | 'bad_request'
  | 'authentication'
  | 'billing'
  | 'permission'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'rate_limit'
  | 'internal'
  | 'upstream'
  | 'overloaded'
  | 'timeout'
  | 'not_implemented';

/** An error on its way to a client: ends a request, or a stream wherever it stands. */
export interface Fault {
  readonly kind: FaultKind;
  /** HTTP status; an upstream's 4xx keeps its own. */
  readonly status: number;
  /** One sentence for the caller: names the field, what was found, what would be right. Never a secret, address or stack. */
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly retryAfterMs?: number;
  /** The provider says that what the gateway's credential may spend is spent. */
  readonly quota?: true;
  /** Who found it. */
  readonly by: 'gateway' | 'upstream';
  /** The envelope's extra members for the client's own dialect (Anthropic `error.details`, Gemini `details`). */
  readonly details?: unknown;
  /** The upstream's own error type word, passed on to a client of the same dialect. */
  readonly rawType?: string;
}

const STATUS: Record<FaultKind, number> = {
  bad_request: 400,
  authentication: 401,
  billing: 402,
  permission: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limit: 429,
  internal: 500,
  upstream: 502,
  overloaded: 503,
  timeout: 504,
  not_implemented: 501,
};

/** The status that a kind of fault usually has. */
export const statusOfKind = (kind: FaultKind): number => STATUS[kind];

/** A fault that the gateway found itself, with the kind's usual status. */
export const gatewayFault = (kind: FaultKind, message: string, more: Partial<Omit<Fault, 'kind' | 'message'>> = {}): Fault => ({
  kind,
  status: STATUS[kind],
  message,
  by: 'gateway',
  ...more,
});

/** The kind of fault that an HTTP status means. */
export function kindOfStatus(status: number): FaultKind {
  for (const [kind, usual] of Object.entries(STATUS)) if (usual === status) return kind as FaultKind;
  if (status === 408) return 'timeout';
  if (status === 529) return 'overloaded';
  if (status === 501) return 'not_implemented';
  return status >= 400 && status < 500 ? 'bad_request' : 'upstream';
}

/** Carries a fault through code that throws. The only error class of the exchange. */
export class GatewayError extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'GatewayError';
    this.fault = fault;
  }
}

/** A client's field that is missing or of the wrong kind; `param` is its path, as `messages[2].content`. */
export const badField = (param: string, message: string, code = 'invalid_value'): GatewayError =>
  new GatewayError(gatewayFault('bad_request', message, { param, code }));

/** The words for a parameter that is not there. */
export const missingField = (param: string): GatewayError =>
  badField(param, `Invalid request: missing required parameter '${param}'`, 'missing_parameter');
