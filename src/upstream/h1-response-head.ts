import { GatewayError } from '../ir/index.ts';
import { CONNECTION_FAULTS } from './connection-fault.ts';
import type { UpstreamHeaders } from './send.ts';

/** Where a body ends: after so many bytes (none, if there is no body), with its last chunk, or with the connection. */
type Framing = 'length' | 'chunked' | 'close';

/** The head of an answer. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly framing: Framing;
  /** With `length`. */
  readonly length: number;
  /** How long the connection may be kept for another request; 0: not at all. */
  readonly keepMs: number;
}

/** How long an idle connection is kept where the upstream gives no hint. */
const KEEP_MS = 20_000;
/** What is taken off the upstream's hint, so that we let go first. */
const KEEP_MARGIN_MS = 1000;
/** Names of fields that were seen before, so that they need not be checked again. */
const MAX_NAMES = 512;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Controls, a CR or LF that stands alone, a folded line. */
const FORBIDDEN = /[^\t\r\n\x20-\x7e\x80-\xff]|\r[^\n]|[^\r]\n|\n[\t ]/;
const LENGTH = /^\d{1,15}$/;
const TAB = 9;
const SPACE = 32;

/** What an upstream says is not HTTP, or not safely so. */
export const malformed = (): GatewayError => new GatewayError(CONNECTION_FAULTS.malformed);

const names = new Map<string, string>();

function fieldName(raw: string): string {
  const known = names.get(raw);
  if (known !== undefined) return known;
  if (!TOKEN.test(raw)) throw malformed();
  if (names.size >= MAX_NAMES) return raw.toLowerCase();
  // A copy: what is kept must not hold on to the head that it was cut from.
  const copy = Buffer.from(raw, 'latin1').toString('latin1');
  const lower = copy.toLowerCase();
  names.set(copy, lower);
  return lower;
}

function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  for (let code = text.charCodeAt(start); start < end && (code === SPACE || code === TAB); code = text.charCodeAt(start)) start++;
  for (let code = text.charCodeAt(end - 1); start < end && (code === SPACE || code === TAB); code = text.charCodeAt(end - 1)) end--;
  return text.slice(start, end);
}

/** Fields from `from` on, each line with its CRLF. Throws on what is not one. */
export function readFields(text: string, from: number): UpstreamHeaders {
  // Without a prototype, `__proto__` is a name like any other.
  const fields = Object.create(null) as Record<string, string | string[]>;
  if (FORBIDDEN.test(text)) throw malformed();
  for (let at = from; at < text.length;) {
    const end = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon <= at || colon > end) throw malformed();
    const name = fieldName(text.slice(at, colon));
    const value = trimmed(text, colon + 1, end);
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === 'string') fields[name] = [before, value];
    else before.push(value);
    at = end + 2;
  }
  return fields;
}

const words = (value: string | string[] | undefined): readonly string[] =>
  value === undefined
    ? []
    : String(value)
        .toLowerCase()
        .split(',')
        .map((word) => word.trim());

function keepMsOf(isOld: boolean, headers: UpstreamHeaders): number {
  const connection = headers['connection'];
  if (connection === undefined ? isOld : words(connection).includes('close')) return 0;
  if (isOld && !words(connection).includes('keep-alive')) return 0;
  const hint = headers['keep-alive'] === undefined ? null : /(?:^|[,;\s])timeout\s*=\s*"?(\d{1,9})/i.exec(String(headers['keep-alive']));
  return hint ? Math.max(0, Math.min(KEEP_MS, Number(hint[1]) * 1000 - KEEP_MARGIN_MS)) : KEEP_MS;
}

/** RFC 9112 §6.3, without what it leaves to leniency: lengths that are doubled, or stand beside a coding, are how answers are smuggled. */
function framingOf(status: number, headers: UpstreamHeaders, isHead: boolean): { readonly framing: Framing; readonly length: number } {
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined && (length !== undefined || typeof coding !== 'string' || coding.toLowerCase() !== 'chunked')) throw malformed();
  if (length !== undefined && (typeof length !== 'string' || !LENGTH.test(length))) throw malformed();
  if (isHead || status === 204 || status === 304) return { framing: 'length', length: 0 };
  if (coding !== undefined) return { framing: 'chunked', length: 0 };
  if (length === undefined) return { framing: 'close', length: 0 };
  return { framing: 'length', length: Number(length) };
}

/** Reads a head without its blank line. Throws on what is not one; `undefined`: one that only announces another. */
export function readResponseHead(text: string, isHead: boolean): ResponseHead | undefined {
  const end = text.indexOf('\r\n');
  const line = STATUS_LINE.exec(text.slice(0, end));
  if (!line) throw malformed();
  const status = Number(line[2]);
  const headers = readFields(text, end + 2);
  if (status < 200) {
    // We ask for no other protocol.
    if (status === 101) throw malformed();
    return undefined;
  }
  const isOld = line[1] === '0';
  const { framing, length } = framingOf(status, headers, isHead);
  // RFC 9112 §6.1: old servers that send chunks are read, and not trusted with a second request.
  const keeps = framing !== 'close' && !(isOld && framing === 'chunked');
  return { status, headers, framing, length, keepMs: keeps ? keepMsOf(isOld, headers) : 0 };
}
