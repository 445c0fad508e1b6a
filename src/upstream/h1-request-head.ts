import { GatewayError } from '../ir/index.ts';
import { CONNECTION_FAULTS } from './connection-fault.ts';
import type { UpstreamRequest } from './send.ts';

const invalid = (): GatewayError => new GatewayError(CONNECTION_FAULTS.requestInvalid);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const BAD_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const BAD_PATH = /[^\x21-\x7e\x80-\xff]/;

/** What only the connection can say. */
const OURS = new Set([
  'host',
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

/** Names that were found to be such; `false`: one of ours. */
const MAX_NAMES = 512;
const names = new Map<string, boolean>();

/** Whether a field goes out as it is named. Throws on what is no name. */
function isPassed(name: string): boolean {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) throw invalid();
  const passes = !OURS.has(name.toLowerCase());
  if (names.size < MAX_NAMES) names.set(name, passes);
  return passes;
}

/** How a request's body is framed: `undefined` length: in chunks. */
const framingLine = (method: string, length: number | undefined): string =>
  length === undefined ? 'transfer-encoding: chunked\r\n' : length > 0 || MAY_BRING.has(method) ? `content-length: ${length}\r\n` : '';

/** The head as it goes out, one byte a character; fields in the order given. Throws where a name, a value or the path would break out of it. */
export function writeRequestHead(request: UpstreamRequest, host: string, length: number | undefined): string {
  const { method, path, headers } = request;
  const to = headers['host'] ?? host;
  if (!TOKEN.test(method) || !path.startsWith('/') || BAD_PATH.test(path) || BAD_VALUE.test(to)) throw invalid();
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${to}\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || !isPassed(name)) continue;
    if (BAD_VALUE.test(value)) throw invalid();
    head += `${name}: ${value}\r\n`;
  }
  return `${head}${framingLine(method, length)}\r\n`;
}
