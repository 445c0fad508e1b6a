/** What a reader of an answer is told of it. */
export interface Told {
  status?: number;
  headers: Record<string, unknown>;
  body: string;
  /** `kept`: the connection may serve again. */
  end: 'kept' | 'closed' | 'waits' | 'malformed' | 'cut';
}

/** One answer on the wire, and some of what must be told of it. */
export type Row = readonly [
  name: string,
  wire: string,
  told: Partial<Told>,
  options?: { readonly isHead?: boolean; readonly close?: boolean },
];

/** How answers begin. */
export const OK = 'HTTP/1.1 200 OK\r\n';
export const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
/** Answers that are HTTP/1.1. */
export const GOOD: readonly Row[] = [
  ['a length', `${OK}content-length: 5\r\n\r\nhello`, { status: 200, headers: { 'content-length': '5' }, body: 'hello', end: 'kept' }],
  ['nothing', `${OK}content-length: 0\r\n\r\n`, { body: '', end: 'kept' }],
  ['no reason', 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n', { status: 200, end: 'kept' }],
  ['an empty reason', 'HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n', { status: 200, end: 'kept' }],
  ['a status of its own', 'HTTP/1.1 599 \xe4\xf6 "so"\r\ncontent-length: 0\r\n\r\n', { status: 599, end: 'kept' }],
  ['no space after the colon', `${OK}content-length:2\r\n\r\nab`, { body: 'ab', end: 'kept' }],
  ['much space around a value', `${OK}content-length: \t 2 \t\r\n\r\nab`, { headers: { 'content-length': '2' }, body: 'ab', end: 'kept' }],
  ['an empty value', `${OK}x-a:\r\nx-b: \r\ncontent-length: 0\r\n\r\n`, { headers: { 'x-a': '', 'x-b': '', 'content-length': '0' } }],
  ['names in capitals', `${OK}Content-LENGTH: 2\r\n\r\nab`, { headers: { 'content-length': '2' }, body: 'ab', end: 'kept' }],
  ['several values', `${OK}a: 1\r\nA: 2\r\na: 3\r\ncontent-length: 0\r\n\r\n`, { headers: { a: ['1', '2', '3'], 'content-length': '0' } }],
  ['a name that is none of ours', `${OK}__proto__: x\r\ncontent-length: 0\r\n\r\n`, { end: 'kept' }],
  [
    'bytes above ASCII in a value',
    `${OK}a: \xa0caf\xe9\xa0\r\ncontent-length: 0\r\n\r\n`,
    { headers: { a: '\xa0caf\xe9\xa0', 'content-length': '0' } },
  ],
  ['chunks', `${CHUNKED}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, { body: 'abcde', end: 'kept' }],
  ['no chunk', `${CHUNKED}0\r\n\r\n`, { body: '', end: 'kept' }],
  ['CHUNKED', `${OK}Transfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n`, { body: 'a', end: 'kept' }],
  [
    'sizes with letters and zeros',
    `${CHUNKED}0000A\r\n0123456789\r\n0b\r\n0123456789a\r\n000\r\n\r\n`,
    { body: '01234567890123456789a', end: 'kept' },
  ],
  ['extensions', `${CHUNKED}1;a\r\nx\r\n1;a=b;c="d e;f"\r\ny\r\n0;last\r\n\r\n`, { body: 'xy', end: 'kept' }],
  ['space after a size', `${CHUNKED}1 \r\nx\r\n1\t ;a\r\ny\r\n0 \r\n\r\n`, { body: 'xy', end: 'kept' }],
  [
    'trailers',
    `${CHUNKED}1\r\nx\r\n0\r\nx-sum: abc\r\nx-more:\r\n\r\n`,
    { headers: { 'transfer-encoding': 'chunked' }, body: 'x', end: 'kept' },
  ],
  ['chunks that look like chunks', `${CHUNKED}7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n`, { body: '0\r\n\r\n\r\n', end: 'kept' }],
  ['until it closes', `${OK}\r\nhello`, { body: 'hello', end: 'closed' }, { close: true }],
  ['nothing until it closes', `${OK}a: b\r\n\r\n`, { body: '', end: 'closed' }, { close: true }],
  ['an announcement', `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 1\r\n\r\na`, { status: 200, body: 'a', end: 'kept' }],
  [
    'several announcements',
    `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 x\r\n\r\n${OK}content-length: 1\r\n\r\na`,
    { status: 200, headers: { 'content-length': '1' }, body: 'a', end: 'kept' },
  ],
  ['the answer to HEAD', `${OK}content-length: 5\r\n\r\n`, { body: '', end: 'kept' }, { isHead: true }],
  ['the answer to HEAD, with chunks', CHUNKED, { body: '', end: 'kept' }, { isHead: true }],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: '', end: 'kept' }],
  ['204 with a length', 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n', { status: 204, body: '', end: 'kept' }],
  ['304 with a length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', { status: 304, body: '', end: 'kept' }],
  ['close', `${OK}connection: close\r\ncontent-length: 1\r\n\r\na`, { body: 'a', end: 'closed' }],
  ['Close, among others', `${OK}connection: x, Close\r\ncontent-length: 1\r\n\r\na`, { body: 'a', end: 'closed' }],
  ['close in a second field', `${OK}connection: x\r\nconnection: close\r\ncontent-length: 1\r\n\r\na`, { body: 'a', end: 'closed' }],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', { body: 'a', end: 'closed' }],
  ['HTTP/1.0 that keeps', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\na', { body: 'a', end: 'kept' }],
  [
    'HTTP/1.0 with chunks',
    'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n',
    { body: 'a', end: 'closed' },
  ],
  ['a short keep-alive', `${OK}keep-alive: timeout=1\r\ncontent-length: 1\r\n\r\na`, { body: 'a', end: 'closed' }],
  ['a longer one', `${OK}keep-alive: max=5, timeout=3\r\ncontent-length: 1\r\n\r\na`, { body: 'a', end: 'kept' }],
  ['more than was announced', `${OK}content-length: 1\r\n\r\nab`, { body: 'a', end: 'closed' }],
  ['a second answer', `${CHUNKED}0\r\n\r\n${OK}content-length: 9\r\n\r\nsmuggled!`, { body: '', end: 'closed' }],
  ['a body for 204', 'HTTP/1.1 204 No Content\r\n\r\nab', { body: '', end: 'closed' }],
];

const BAD: readonly Row[] = [
  ['something else', 'what do you want\r\n\r\n', {}],
  ['nothing', '\r\n\r\n', {}],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n', {}],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', {}],
  ['HTTP/0.9', 'HTTP/0.9 200 OK\r\n\r\n', {}],
  ['no status', 'HTTP/1.1  OK\r\n\r\n', {}],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', {}],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', {}],
  ['status 000', 'HTTP/1.1 000 OK\r\n\r\n', {}],
  ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n', {}],
  ['two lengths', `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, {}],
  ['the same length twice', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\n{}`, {}],
  ['a list of lengths', `${OK}content-length: 2, 2\r\n\r\n{}`, {}],
  ['a length and chunks', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`, {}],
  ['chunks and a length', `${OK}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n{}`, {}],
  ['chunked twice', `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, {}],
  ['gzip, chunked', `${OK}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, {}],
  ['chunked, identity', `${OK}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`, {}],
  ['xchunked', `${OK}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`, {}],
  ['an empty coding', `${OK}transfer-encoding:\r\n\r\n`, {}],
  ['a negative length', `${OK}content-length: -1\r\n\r\n`, {}],
  ['a length with a sign', `${OK}content-length: +1\r\n\r\na`, {}],
  ['a hexadecimal length', `${OK}content-length: 0x1\r\n\r\na`, {}],
  ['an empty length', `${OK}content-length:\r\n\r\n`, {}],
  ['a huge length', `${OK}content-length: 99999999999999999999\r\n\r\n`, {}],
  ['a folded line', `${OK}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`, {}],
  ['a line that begins with a tab', `${OK}\ta: b\r\ncontent-length: 0\r\n\r\n`, {}],
  ['a space before the colon', `${OK}content-length : 2\r\n\r\nab`, {}],
  ['a line without a colon', `${OK}nothing\r\ncontent-length: 0\r\n\r\n`, {}],
  ['an empty name', `${OK}: x\r\ncontent-length: 0\r\n\r\n`, {}],
  ['a name with a space', `${OK}a b: x\r\ncontent-length: 0\r\n\r\n`, {}],
  ['a name above ASCII', `${OK}\xe4: x\r\ncontent-length: 0\r\n\r\n`, {}],
  ['NUL in a value', `${OK}a: b\0c\r\ncontent-length: 0\r\n\r\n`, {}],
  ['CR in a value', `${OK}a: b\rc\r\ncontent-length: 0\r\n\r\n`, {}],
  ['LF in a value', `${OK}a: b\nc: d\r\ncontent-length: 0\r\n\r\n`, {}],
  ['two CR', `${OK}a: b\r\r\ncontent-length: 0\r\n\r\n`, {}],
  ['DEL in a value', `${OK}a: \x7f\r\ncontent-length: 0\r\n\r\n`, {}],
  ['LF in the reason', 'HTTP/1.1 200 O\nK\r\ncontent-length: 0\r\n\r\n', {}],
  ['lines that end in LF', 'HTTP/1.1 200 OK\ncontent-length: 0\r\n\r\n', {}],
  ['a size that is none', `${CHUNKED}x\r\n`, { status: 200, body: '' }],
  ['an empty size', `${CHUNKED}\r\nabc`, {}],
  ['a negative size', `${CHUNKED}-1\r\na\r\n`, {}],
  ['0x1', `${CHUNKED}0x1\r\na\r\n`, {}],
  ['a size beyond counting', `${CHUNKED}10000000000000\r\na`, {}],
  ['a size and rubbish', `${CHUNKED}1 1\r\na\r\n`, {}],
  ['a chunk that ends in LF', `${CHUNKED}1\r\na\n0\r\n\r\n`, { body: 'a' }],
  ['a chunk longer than its size', `${CHUNKED}2\r\nabc\r\n0\r\n\r\n`, { body: 'ab' }],
  ['a size that ends in LF', `${CHUNKED}1\na\r\n0\r\n\r\n`, {}],
  ['LF in an extension', `${CHUNKED}1;a\nb\r\na\r\n0\r\n\r\n`, {}],
  ['CR in an extension', `${CHUNKED}1;a\rb\r\na\r\n0\r\n\r\n`, {}],
  ['NUL in an extension', `${CHUNKED}1;\0\r\na\r\n0\r\n\r\n`, {}],
  ['good chunks, then a bad one', `${CHUNKED}1\r\na\r\n2\r\nbc\r\nz\r\n`, { status: 200, body: 'abc' }],
  ['a trailer without a colon', `${CHUNKED}0\r\nabc\r\n\r\n`, {}],
  ['a trailer that is folded', `${CHUNKED}0\r\na: b\r\n c\r\n\r\n`, {}],
  ['CR without LF after the last chunk', `${CHUNKED}0\r\n\rx`, {}],
  ['HTTP after too many announcements', `${'HTTP/1.1 103 x\r\n\r\n'.repeat(33)}${OK}content-length: 0\r\n\r\n`, {}],
];

/** Answers that end too early. */
export const CUT: readonly Row[] = [
  ['in a status line', 'HTTP/1.1 20', { end: 'cut' }, { close: true }],
  ['in a head', `${OK}content-length: 5\r\n`, { end: 'cut' }, { close: true }],
  ['after an announcement', 'HTTP/1.1 103 x\r\n\r\n', { end: 'cut' }, { close: true }],
  ['in a body with a length', `${OK}content-length: 5\r\n\r\nhell`, { status: 200, body: 'hell', end: 'cut' }, { close: true }],
  ['in a size', `${CHUNKED}1\r\na\r\n2`, { body: 'a', end: 'cut' }, { close: true }],
  ['in a chunk', `${CHUNKED}5\r\nhell`, { body: 'hell', end: 'cut' }, { close: true }],
  ['after a chunk', `${CHUNKED}5\r\nhello\r\n`, { body: 'hello', end: 'cut' }, { close: true }],
  ['before the last blank line', `${CHUNKED}0\r\n`, { body: '', end: 'cut' }, { close: true }],
  ['in trailers', `${CHUNKED}0\r\na: b\r\n`, { body: '', end: 'cut' }, { close: true }],
];

/** Answers that are not, or not safely. */
export const REFUSED = BAD.map(([name, wire, told]): Row => [name, wire, { end: 'malformed', ...told }]);
/** All of them. */
export const ROWS: readonly Row[] = [...GOOD, ...REFUSED, ...CUT];
