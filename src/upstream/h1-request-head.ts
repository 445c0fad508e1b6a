import { GatewayError } from '../ir/index.ts';
import { CONNECTION_FAULTS } from './connection-fault.ts';
import type { UpstreamRequest } from './send.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const BAD_PATH = /[^\x21-\x7e\x80-\xff]/;

/** What only the connection can say. */
const OURS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'content-length',
  'transfer-encoding',
]);
/** Methods that announce that they have no body. */
const MAY_BRING = new Set(['POST', 'PUT', 'PATCH']);

/** Names that were found to be such. */
const MAX_NAMES = 512;
const names = new Set<string>();

function isName(name: string): boolean {
  if (names.has(name)) return true;
  if (!TOKEN.test(name)) return false;
  if (names.size < MAX_NAMES) names.add(name);
  return true;
}

/** How a request's body is framed: `undefined` length: in chunks. */
const framingLine = (method: string, length: number | undefined): string =>
  length === undefined ? 'transfer-encoding: chunked\r\n' : length > 0 || MAY_BRING.has(method) ? `content-length: ${length}\r\n` : '';

/** The head as it goes out, one byte a character; fields in the order given. Throws where a name, a value or the path would break out of it. */
export function writeRequestHead(request: UpstreamRequest, host: string, length: number | undefined): string {
  const { method, path, headers } = request;
  if (!isName(method) || !path.startsWith('/') || BAD_PATH.test(path)) throw new GatewayError(CONNECTION_FAULTS.requestInvalid);
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${headers['host'] ?? host}\r\n`;
  for (const name in headers) {
    if (name === 'host') continue;
    const value = headers[name];
    if (value === undefined || OURS.has(name)) continue;
    if (!isName(name) || BAD_VALUE.test(value)) throw new GatewayError(CONNECTION_FAULTS.requestInvalid);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}${framingLine(method, length)}\r\n`;
}
