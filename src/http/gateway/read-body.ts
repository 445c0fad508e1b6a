import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type Fault, gatewayFault } from '../../ir/index.ts';

/** The refusal of a body over its bound; `setting`: where the operator finds it. */
export const tooLarge = (limit: number, setting = 'limits.body'): Fault =>
  gatewayFault(
    'too_large',
    `The request body is larger than the ${limit >= 1024 * 1024 ? `${Math.floor(limit / 1024 / 1024)} MiB` : `${limit} bytes`} that are allowed (${setting})`,
    { code: 'body_too_large' },
  );

/** The caller went away in the middle. */
export const incomplete = gatewayFault('bad_request', 'The request ended before its body was complete', { code: 'body_incomplete' });

const UNPACK: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
]);

/** The bytes of a body, unpacked where it was packed; a fault where that cannot be done. */
export function sourceOf(request: IncomingMessage): Readable | Fault {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return request;
  const unpack = UNPACK.get(encoding);
  if (unpack) return request.pipe(unpack());
  const message = `Content-Encoding '${encoding.slice(0, 40)}' is not supported: send the body as it is, or as gzip, deflate, br or zstd`;
  return { ...gatewayFault('bad_request', message, { code: 'unsupported_encoding' }), status: 415 };
}

/** Reads a body of bounded size (as it is unpacked), then calls back once: with the bytes, or with why there are none. */
export function readBody(request: IncomingMessage, limit: number, then: (body: Buffer | Fault) => void): void {
  if (Number(request.headers['content-length']) > limit) return then(tooLarge(limit));
  const source = sourceOf(request);
  if (!('on' in source)) return then(source);
  const isPacked = source !== request;
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let bytes = 0;
  let over = false;
  const finish = (result: Buffer | Fault): void => {
    if (over) return;
    over = true;
    then(result);
  };
  source.on('data', (chunk: Buffer) => {
    if (over) return;
    bytes += chunk.length;
    if (bytes > limit) {
      finish(tooLarge(limit));
      if (isPacked) source.destroy();
      return;
    }
    if (!first) first = chunk;
    else (rest ??= [first]).push(chunk);
  });
  source.on('end', () => finish(rest ? Buffer.concat(rest, bytes) : (first ?? Buffer.alloc(0))));
  if (isPacked) {
    source.on('error', () => {
      finish(gatewayFault('bad_request', 'The request body is not what its Content-Encoding says', { code: 'invalid_encoding' }));
    });
  }
  request.on('error', () => finish(incomplete));
}

/** How long, and how much, a body is still read that nobody will use. */
const LET_GO_MS = 10_000;
const LET_GO_BYTES = 256 * 1024 * 1024;

/**
 * Reads on and lets go what remains of a refused body: closed at once, the connection would be reset before the client has
 * read the answer. One that does not end, or is longer than `most` bytes, is cut. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function letGo(request: IncomingMessage, most = LET_GO_BYTES): void {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  const cut = (): void => void request.destroy();
  const timer = setTimeout(cut, LET_GO_MS);
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) cut();
  });
  request.on('close', () => clearTimeout(timer));
  request.unpipe();
  request.resume();
}
