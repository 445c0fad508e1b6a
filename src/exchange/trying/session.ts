import { type JsonObject, parseObject } from '../../ir/index.ts';
import type { Call } from '../call.ts';
import { readCaller } from '../read-caller.ts';

/** Members in which a body names its conversation. */
const NAMING = ['prompt_cache_key', 'session_id', 'metadata'];

/**
 * As `sessionReader`, for a call that is no chat: by what names its conversation only. How it begins tells nothing: vectors of
 * two texts are no conversation.
 */
export function namedSessionReader(call: Pick<Call, 'headers'> & { readonly told?: () => JsonObject }): () => string | undefined {
  let found: { readonly session: string | undefined } | undefined;
  const find = (): string | undefined => {
    const named = readCaller(call.headers, {}, undefined).session;
    if (named !== undefined) return named;
    const body = call.told?.() ?? {};
    const naming = NAMING.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]] as const]));
    return readCaller({}, Object.fromEntries(naming), undefined).session;
  };
  return () => (found ??= { session: find() }).session;
}

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
