import { parseObject } from '../../ir/index.ts';
import type { Call } from '../call.ts';
import { readCaller } from '../read-caller.ts';

/** What a call's conversation is told by; its body is read only where no header says it. */
export function sessionOf({
  headers,
  address,
  prepared,
  body,
}: Pick<Call, 'headers' | 'address' | 'prepared' | 'body'>): string | undefined {
  const named = readCaller(headers, {}, address).session;
  if (named !== undefined) return named;
  const read = prepared?.body ?? parseObject(body.toString('utf8'));
  return read && readCaller(headers, read, address).session;
}
