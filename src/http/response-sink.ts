import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';

const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** How long a client may take nothing of the rest of an answer. node:http sets another timeout once all was taken. */
const STALLED_MS = 120_000;

/** Chunk framing in the same buffer as the data: one write(2) an event instead of a writev of three. https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
function chunkOf(pieces: readonly (Buffer | string)[], last: boolean): Buffer {
  let bytes = 0;
  for (const piece of pieces) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  if (bytes === 0) return Buffer.from(last ? LAST_CHUNK : '', 'latin1');
  const size = bytes.toString(16) + CRLF;
  const tail = last ? CRLF + LAST_CHUNK : CRLF;
  const out = Buffer.allocUnsafe(size.length + bytes + tail.length);
  let at = out.write(size, 0, 'latin1');
  for (const piece of pieces) at += typeof piece === 'string' ? out.write(piece, at) : piece.copy(out, at);
  out.write(tail, at, 'latin1');
  return out;
}

/**
 * A client over node:http. What one turn of the event loop writes is joined; a client that does not read makes `write`
 * return false; hanging up before the end is told once.
 */
export function createResponseSink(
  request: IncomingMessage,
  response: ServerResponse,
  base: OutHeaders,
): ClientSink & { readonly idleSince: number } {
  const drains: (() => void)[] = [];
  const gones: (() => void)[] = [];
  let begun = false;
  let ended = false;
  let gone = false;
  let framed = false;
  let queue: (Buffer | string)[] = [];
  let scheduled = false;
  let said = false;
  let idleSince = performance.now();

  const flush = (): void => {
    scheduled = false;
    if (gone || said || (queue.length === 0 && !ended)) return;
    said = ended;
    const pieces = queue;
    queue = [];
    idleSince = performance.now();
    if (framed) {
      const bytes = chunkOf(pieces, ended);
      if (ended) response.end(bytes);
      else response.write(bytes);
    } else if (ended) response.end(join(pieces));
    else response.write(join(pieces));
  };
  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    process.nextTick(flush);
  };
  response.on('drain', () => {
    for (const drain of drains) drain();
  });
  response.on('close', () => {
    if (gone) return;
    gone = true;
    if (!response.writableFinished) for (const listener of gones) listener();
  });
  response.on('error', () => response.destroy());

  return {
    get begun() {
      return begun;
    },
    get closed() {
      return gone || ended;
    },
    get idleSince() {
      return idleSince;
    },
    begin(status, headers, length) {
      if (begun || gone) return;
      begun = true;
      const out: Record<string, string | readonly string[] | number> = { ...base, ...headers };
      if (length !== undefined) out['content-length'] = length;
      else if (request.httpVersionMinor > 0 && request.method !== 'HEAD') {
        framed = true;
        out['transfer-encoding'] = 'chunked';
        // A reverse proxy in front must not hold events back. https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
        out['x-accel-buffering'] = 'no';
      }
      response.writeHead(status, out as Record<string, string>);
      if (framed) response.chunkedEncoding = false;
    },
    write(bytes) {
      if (gone || ended) return true;
      if (bytes.length > 0) {
        queue.push(bytes);
        schedule();
      }
      return !response.writableNeedDrain;
    },
    end(bytes) {
      if (gone || ended) return;
      if (bytes !== undefined && bytes.length > 0) queue.push(bytes);
      ended = true;
      flush();
      // A client that does not read what is left is not waited for for ever.
      if (!response.writableFinished) request.socket.setTimeout(STALLED_MS);
    },
    abort() {
      ended = true;
      response.destroy();
    },
    onGone(listener) {
      if (gone && !response.writableFinished) listener();
      else gones.push(listener);
    },
    onDrain(listener) {
      drains.push(listener);
    },
  };
}

function join(pieces: readonly (Buffer | string)[]): Buffer | string | undefined {
  if (pieces.length <= 1) return pieces[0];
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}
