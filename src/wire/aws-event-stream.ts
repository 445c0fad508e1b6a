import { crc32 } from 'node:zlib';
import { GatewayError, gatewayFault, type JsonObject, parseObject } from '../ir/index.ts';
import { keptPiece } from './pieces.ts';
import type { OnFrame, SseFrame, SseReader } from './sse.ts';

/*
 * A message: total length (4 bytes), length of its headers (4), CRC of these eight bytes (4), headers, payload, CRC of
 * everything before it (4); all big-endian. https://docs.aws.amazon.com/lexv2/latest/dg/event-stream-encoding.html
 */
const PRELUDE = 12;
const TAIL = 4;

const NOTHING: Buffer = Buffer.alloc(0);

/** The longest message that is read; AWS's own are up to 24 MB. */
const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;

const damaged = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream sent an event stream that is damaged', { code: 'upstream_malformed' }));

/** Lengths of header values by their type; -1: two bytes before the value say it. */
const VALUE_BYTES: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];
const STRING = 7;

/** The headers of a message whose values are strings; others mean nothing to us. */
function readHeaders(bytes: Buffer): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    if (nameEnd + 1 > bytes.length) throw damaged();
    const name = bytes.toString('utf8', at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    let size = VALUE_BYTES[type];
    at = nameEnd + 1;
    if (size === undefined) throw damaged();
    if (size < 0) {
      if (at + 2 > bytes.length) throw damaged();
      size = bytes.readUInt16BE(at);
      at += 2;
    }
    if (at + size > bytes.length) throw damaged();
    if (type === STRING) headers[name] = bytes.toString('utf8', at, at + size);
    at += size;
  }
  return headers;
}

/** An error in the stream, modelled (`exception`) or not (`error`), in a form that readers of other streams understand too. */
function exception(headers: Readonly<Record<string, string>>, payload: string): SseFrame {
  const said = parseObject(payload);
  const message = said?.['message'] ?? said?.['Message'] ?? headers[':error-message'] ?? 'The upstream ended the stream with an error';
  const error: JsonObject = { type: headers[':exception-type'] ?? headers[':error-code'] ?? 'error', message };
  return { event: 'exception', data: JSON.stringify({ type: 'error', error }) };
}

function frameOf(message: Buffer, headerBytes: number): SseFrame {
  const headers = readHeaders(message.subarray(PRELUDE, PRELUDE + headerBytes));
  const payload = message.toString('utf8', PRELUDE + headerBytes, message.length - TAIL);
  const kind = headers[':message-type'];
  if (kind === 'exception' || kind === 'error') return exception(headers, payload);
  const event = headers[':event-type'];
  return event === undefined ? { data: payload } : { event, data: payload };
}

/**
 * Reads AWS's binary event stream from bytes however they are cut; every message is checked by both its checksums. A
 * frame's `event` is the message's `:event-type`, its `data` the payload; errors come as `exception` with
 * `{"type":"error","error":{"type","message"}}`. Throws `GatewayError` when the stream is damaged or a message too long.
 */
export function createEventStreamReader(maxMessageBytes = MAX_MESSAGE_BYTES): SseReader {
  let rest = NOTHING;
  let pieces: Buffer[] = [];
  let waiting = 0;
  /** Bytes that the message at the front needs before it is worth looking again. */
  let needed = PRELUDE;

  /** Takes one message off the front of `bytes`; `undefined`: it has not all come. */
  const take = (bytes: Buffer): { readonly frame: SseFrame; readonly length: number } | undefined => {
    needed = PRELUDE;
    if (bytes.length < PRELUDE) return undefined;
    const length = bytes.readUInt32BE(0);
    const headerBytes = bytes.readUInt32BE(4);
    if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) throw damaged();
    if (length > maxMessageBytes || length < PRELUDE + headerBytes + TAIL) throw damaged();
    needed = length;
    if (bytes.length < length) return undefined;
    const message = bytes.subarray(0, length);
    if (crc32(message.subarray(0, length - TAIL)) !== message.readUInt32BE(length - TAIL)) throw damaged();
    needed = PRELUDE;
    return { frame: frameOf(message, headerBytes), length };
  };

  return {
    push(bytes: Buffer, onFrame: OnFrame) {
      waiting += bytes.length;
      // Where nothing is taken now, a few bytes would hold all that was read with them for as long as nothing more comes.
      if (rest.length + waiting < needed) return void pieces.push(keptPiece(bytes));
      pieces.push(bytes);
      rest = Buffer.concat([rest, ...pieces], rest.length + waiting);
      pieces = [];
      waiting = 0;
      for (let one = take(rest); one; one = take(rest)) {
        rest = rest.subarray(one.length);
        onFrame(one.frame);
      }
      rest = rest.length > 0 ? keptPiece(rest) : NOTHING;
    },
    // A message of which a part is missing is dropped: the decoder knows whether the reply was complete without it.
    end() {},
  };
}
