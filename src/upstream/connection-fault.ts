import { type Fault, gatewayFault } from '../ir/index.ts';

/** What a client is told of a request that came to no end of its own: never an address. */
export const CONNECTION_FAULTS = {
  connectTimeout: gatewayFault('timeout', 'The upstream did not accept a connection in time', { code: 'upstream_connect_timeout' }),
  headersTimeout: gatewayFault('timeout', 'The upstream did not begin to answer in time', { code: 'upstream_headers_timeout' }),
  idleTimeout: gatewayFault('timeout', 'The upstream stopped sending in mid-answer', { code: 'upstream_idle_timeout' }),
  unreachable: gatewayFault('upstream', 'The upstream does not accept connections', { code: 'upstream_unreachable' }),
  unresolved: gatewayFault('upstream', "The upstream's host name cannot be resolved", { code: 'upstream_unresolved' }),
  malformed: gatewayFault('upstream', 'The upstream answered with something that is not HTTP', { code: 'upstream_malformed' }),
  untrusted: gatewayFault('upstream', "The upstream's TLS certificate cannot be trusted", { code: 'upstream_tls' }),
  cut: gatewayFault('upstream', 'The upstream cut the connection in mid-answer', { code: 'upstream_cut' }),
  closed: gatewayFault('upstream', 'The upstream closed the connection without an answer', { code: 'upstream_closed' }),
  /** What we were to send cannot be written: our fault or the configuration's, not the upstream's. */
  requestInvalid: gatewayFault('internal', 'The request could not be written for the upstream', { code: 'upstream_request_invalid' }),
  /** Of this process or machine: no file can be opened, or no port is free. */
  exhausted: gatewayFault('overloaded', 'The server has as many connections as it may have. Try again shortly', {
    code: 'connections_exhausted',
    retryAfterMs: 1000,
  }),
} as const satisfies Readonly<Record<string, Fault>>;

const BY_CODE: Readonly<Record<string, keyof typeof CONNECTION_FAULTS>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connectTimeout',
  UND_ERR_HEADERS_TIMEOUT: 'headersTimeout',
  UND_ERR_BODY_TIMEOUT: 'idleTimeout',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'malformed',
  UND_ERR_INVALID_ARG: 'requestInvalid',
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
  // https://man7.org/linux/man-pages/man2/socket.2.html, https://man7.org/linux/man-pages/man2/connect.2.html
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  ENOBUFS: 'exhausted',
  EADDRNOTAVAIL: 'exhausted',
};

/** The names that OpenSSL gives to what is wrong with a certificate, beside those with `CERT` in them. */
const UNTRUSTED = /CERT|^ERR_TLS|^ERR_SSL|^UNABLE_TO_VERIFY|^HOSTNAME_MISMATCH|^INVALID_CA|^INVALID_PURPOSE|^PATH_LENGTH_EXCEEDED/;

/** The system's or a library's word for an error, from its causes too. */
export const errorCode = (error: unknown): string => {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string') return code;
  }
  return '';
};

/** The fault that a failed connection means. `begun`: the answer's head had come. */
export function connectionFault(error: unknown, begun: boolean): Fault {
  const code = errorCode(error);
  const known = BY_CODE[code];
  if (known !== undefined) return CONNECTION_FAULTS[known];
  if (code.startsWith('HPE_')) return CONNECTION_FAULTS.malformed;
  if (UNTRUSTED.test(code)) return CONNECTION_FAULTS.untrusted;
  return begun ? CONNECTION_FAULTS.cut : CONNECTION_FAULTS.closed;
}
