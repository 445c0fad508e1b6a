import { parseObject } from '../../ir/index.ts';
import type { Call } from '../call.ts';
import { readCaller } from '../read-caller.ts';

type Asking = Pick<Call, 'headers' | 'address' | 'prepared' | 'body'>;

function readSession({ headers, address, prepared, body }: Asking): string | undefined {
  const named = readCaller(headers, {}, address).session;
  if (named !== undefined) return named;
  const read = prepared?.body ?? parseObject(body.toString('utf8'));
  return read && readCaller(headers, read, address).session;
}

/**
 * What a call's conversation is told by, looked for when it is first asked: `known` where the decision has read it, else by the headers,
 * else by the body.
 */
export function sessionReader(call: Asking, known: string | undefined): () => string | undefined {
  let session = known;
  let isRead = known !== undefined;
  return () => {
    if (!isRead) session = readSession(call);
    isRead = true;
    return session;
  };
}
