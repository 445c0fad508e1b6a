import type { IncomingMessage } from 'node:http';
import { type Fault, gatewayFault } from '../../ir/index.ts';

const tooLarge = (limit: number): Fault =>
  gatewayFault('too_large', `The request body is larger than the ${Math.round(limit / 1024 / 1024)} MiB that are allowed (limits.body)`, {
    code: 'body_too_large',
  });

/** Reads a body of bounded size, then calls back once: with the bytes, or with why there are none. */
export function readBody(request: IncomingMessage, limit: number, then: (body: Buffer | Fault) => void): void {
  const announced = Number(request.headers['content-length']);
  if (announced > limit) {
    // The rest is read and let go, so that the client can read the answer.
    request.resume();
    then(tooLarge(limit));
    return;
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    request.resume();
    then({
      ...gatewayFault('bad_request', `Content-Encoding '${encoding.slice(0, 40)}' is not supported: send the body as it is`, {
        code: 'unsupported_encoding',
      }),
      status: 415,
    });
    return;
  }
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let bytes = 0;
  let over = false;
  const finish = (result: Buffer | Fault): void => {
    if (over) return;
    over = true;
    then(result);
  };
  request.on('data', (chunk: Buffer) => {
    if (over) return;
    bytes += chunk.length;
    if (bytes > limit) {
      finish(tooLarge(limit));
      return;
    }
    if (!first) first = chunk;
    else (rest ??= [first]).push(chunk);
  });
  request.on('end', () => finish(rest ? Buffer.concat(rest, bytes) : (first ?? Buffer.alloc(0))));
  request.on('error', () =>
    finish(gatewayFault('bad_request', 'The request ended before its body was complete', { code: 'body_incomplete' })),
  );
}
