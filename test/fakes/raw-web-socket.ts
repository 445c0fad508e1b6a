// A WebSocket client of bytes: frames that no library would send, and the frames in what comes back. https://www.rfc-editor.org/rfc/rfc6455#section-5.2
import { connect, type Socket } from 'node:net';

/** What kind a frame is. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What is odd about a frame. */
export interface FrameSettings {
  readonly opcode?: number;
  readonly isLast?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  readonly isMasked?: boolean;
  /** What it says of its length, instead of the truth. */
  readonly length?: number;
}

function lengthBytes(length: number, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0;
  if (length < 126) return Buffer.from([mask | length]);
  if (length < 65_536) return Buffer.from([mask | 126, length >> 8, length & 255]);
  const long = Buffer.alloc(9);
  long[0] = mask | 127;
  long.writeBigUInt64BE(BigInt(length), 1);
  return long;
}

/** One frame. Its mask is of zeros, so that its bytes are seen as they are. */
export function frameOf(payload: Buffer | string, settings: FrameSettings = {}): Buffer {
  const { opcode = OPCODES.text, isLast = true, reserved = 0, isMasked = true } = settings;
  const bytes = Buffer.from(payload);
  const head = Buffer.from([(isLast ? 0x80 : 0) | (reserved << 4) | opcode]);
  return Buffer.concat([head, lengthBytes(settings.length ?? bytes.length, isMasked), Buffer.alloc(isMasked ? 4 : 0), bytes]);
}

/** A frame of a server's. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The whole frames after the head of the answer. */
export function framesIn(received: Buffer): readonly ServerFrame[] {
  const frames: ServerFrame[] = [];
  let at = received.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= received.length) {
    const [first = 0, short = 0] = received.subarray(at, at + 2);
    const lengthAt = at + 2;
    const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (lengthAt + extra > received.length) break;
    const length = extra === 2 ? received.readUInt16BE(lengthAt) : extra === 8 ? Number(received.readBigUInt64BE(lengthAt)) : short;
    const end = lengthAt + extra + length;
    if (end > received.length) break;
    frames.push({ opcode: first & 15, payload: received.subarray(lengthAt + extra, end) });
    at = end;
  }
  return frames;
}

/** Asks for a WebSocket at a path; more may follow at once. `headers`: whole lines besides those that are needed. */
export function openRaw(url: string, path: string, key: string, headers = ''): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  socket.on('error', () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      `sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`,
  );
  return socket;
}

/** Everything that comes until it is closed, or for so long. */
export function readRaw(socket: Socket, withinMs: number): Promise<{ readonly received: Buffer; readonly isClosed: boolean }> {
  const pieces: Buffer[] = [];
  return new Promise((resolve) => {
    let isClosed = false;
    const deadline = setTimeout(() => socket.destroy(), withinMs);
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('end', () => (isClosed = true));
    socket.on('error', () => (isClosed = true));
    socket.on('close', () => {
      clearTimeout(deadline);
      resolve({ received: Buffer.concat(pieces), isClosed });
    });
  });
}
