import { once } from 'node:events';
import type { Socket } from 'node:net';
import { GatewayError } from '../ir/index.ts';
import { CONNECTION_FAULTS } from './connection-fault.ts';

/** Head and body up to this size go out as one buffer: joining them costs less than writing pieces. */
const JOIN_BYTES = 16 * 1024;

/** Writes a request that is held whole: small ones in one piece, of others no byte is copied. */
export function writeWhole(socket: Socket, head: string, body: readonly Buffer[], length: number): void {
  if (length === 0) {
    socket.write(head, 'latin1');
  } else if (head.length + length <= JOIN_BYTES) {
    const wire = Buffer.allocUnsafe(head.length + length);
    let at = wire.write(head, 0, 'latin1');
    for (const piece of body) at += piece.copy(wire, at);
    socket.write(wire);
  } else {
    socket.cork();
    socket.write(Buffer.from(head, 'latin1'));
    for (const piece of body) if (piece.length > 0) socket.write(piece);
    socket.uncork();
  }
}

/** A body under way. */
export interface BodyPump {
  /** All of it was written. */
  isDone(): boolean;
  /** Takes no more of it. */
  stop(): void;
}

const mismatch = (): GatewayError => new GatewayError(CONNECTION_FAULTS.requestInvalid);

function* framed(piece: Buffer, isChunked: boolean): Iterable<Buffer | string> {
  if (isChunked) yield `${piece.length.toString(16)}\r\n`;
  yield piece;
  if (isChunked) yield '\r\n';
}

/**
 * Writes a body as it comes, no faster than the connection takes it; with a length as it is, without one in chunks.
 * `progress` is told of each piece, `broke` of a body that cannot be read to its end or has another length than was said.
 */
export function pumpBody(
  socket: Socket,
  head: string,
  { bytes, length }: { readonly bytes: AsyncIterable<Buffer>; readonly length?: number },
  on: { progress(): void; broke(error: unknown): void },
): BodyPump {
  const source = bytes[Symbol.asyncIterator]();
  const leaving = new AbortController();
  let isDone = false;
  let sent = 0;
  let isGathered = false;
  /** What is at hand goes out as one: a form is many pieces. */
  const gather = (): void => {
    if (isGathered) return;
    isGathered = true;
    socket.cork();
    process.nextTick(() => {
      isGathered = false;
      socket.uncork();
    });
  };
  const write = async (piece: Buffer): Promise<void> => {
    if (piece.length === 0) return;
    sent += piece.length;
    if (length !== undefined && sent > length) throw mismatch();
    gather();
    let hasRoom = true;
    for (const part of framed(piece, length === undefined)) hasRoom = socket.write(part);
    on.progress();
    if (!hasRoom) await once(socket, 'drain', { signal: leaving.signal });
  };
  const pump = async (): Promise<void> => {
    gather();
    socket.write(head, 'latin1');
    for (let next = await source.next(); next.done !== true && !leaving.signal.aborted; next = await source.next()) await write(next.value);
    if (leaving.signal.aborted) return;
    if (length !== undefined && sent < length) throw mismatch();
    if (length === undefined) {
      gather();
      socket.write('0\r\n\r\n');
    }
    isDone = true;
  };
  const stop = (): void => {
    if (leaving.signal.aborted || isDone) return;
    leaving.abort();
    // It need not answer: who reads it may be waiting for a client.
    source.return?.().catch(() => undefined);
  };
  pump().catch((error: unknown) => {
    if (leaving.signal.aborted) return;
    stop();
    on.broke(error);
  });
  return { isDone: () => isDone, stop };
}
