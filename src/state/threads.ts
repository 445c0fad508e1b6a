import { badField, GatewayError, gatewayFault, isObject, type Json, type JsonObject, kindOf, parseObject } from '../ir/index.ts';
import type { Call } from '../exchange/call.ts';
import { answerCall } from '../exchange/once/answer-call.ts';
import { parseBody } from '../exchange/write-request.ts';
import type { Visit } from '../http/gateway/visit.ts';
import { requiredArray, requiredString } from '../wire/fields.ts';
import { CHAIN_LIMITS } from './history.ts';
import { holdsSealToken, itemsIn } from './items.ts';
import { createMessageCollector } from './message-collector.ts';
import type { StateRecord } from './ports.ts';
import { createReplySink, httpHandler, type ReplyHandler } from './reply-handler.ts';
import { keepsState } from './response-request.ts';
import type { TurnPorts } from './turn-ports.ts';

/*
 * Anthropic's message threads: `thread: {type: "create"}` keeps a conversation under the reply's id, `{type: "continue",
 * previous_message_id}` sends only the new turn. The gateway keeps them itself and gives every provider the whole
 * conversation, so that each works with threads, Anthropic's own too. Whatever a request may hold without a thread it may
 * hold with one.
 */

/** The flag of Anthropic's own threads: they are not used, so it is not passed on. */
const BETA = /^message-threads-/;
/** What a thread is made with and every turn of it has. */
const CREATE_ONLY = ['system', 'tools'] as const;

type ErrorCode =
  | 'thread_not_found'
  | 'thread_already_continued'
  | 'thread_continue_in_flight'
  | 'thread_fingerprint_mismatch'
  | 'thread_unsupported_request';

const refusal = (error_code: ErrorCode, message: string, more: JsonObject = {}): GatewayError =>
  new GatewayError(
    gatewayFault(error_code === 'thread_not_found' ? 'not_found' : 'bad_request', message, {
      param: 'thread',
      code: error_code,
      details: { error_code, ...more },
    }),
  );

/** What `thread` asks for; `null` is as if it were not there. */
type Wish = { readonly type: 'create' } | { readonly type: 'continue'; readonly previous: string };

function readWish(body: JsonObject): Wish | undefined {
  const { thread } = body;
  if (thread === undefined || thread === null) return undefined;
  if (!isObject(thread)) throw badField('thread', `Invalid request: 'thread' must be an object, found ${kindOf(thread)}`);
  if (thread['type'] === 'create') return { type: 'create' };
  if (thread['type'] === 'continue') return { type: 'continue', previous: requiredString(thread, 'previous_message_id', 'thread') };
  throw badField('thread.type', "Invalid request: 'thread.type' must be 'create' or 'continue'");
}

/** A message or block without cache marks: those of earlier turns would come to more than a request may have. */
function unmarked(value: Json): Json {
  if (Array.isArray(value)) return value.map((one: Json) => unmarked(one));
  if (!isObject(value)) return value;
  const { cache_control: _mark, ...rest } = value;
  const { content } = rest;
  return Array.isArray(content) ? { ...rest, content: unmarked(content) } : rest;
}

/** The whole conversation of a request, and what of it is kept. */
interface Turn {
  readonly body: JsonObject;
  readonly fixed: JsonObject;
  readonly messages: readonly JsonObject[];
  readonly previous?: string;
}

const fixedOf = (body: JsonObject): JsonObject =>
  Object.fromEntries(CREATE_ONLY.flatMap((name) => (body[name] === undefined || body[name] === null ? [] : [[name, body[name]]])));

function newMessages(body: JsonObject): readonly JsonObject[] {
  return requiredArray(body, 'messages').map((message, index) => {
    if (isObject(message)) return message;
    throw badField(`messages[${index}]`, `Invalid request: 'messages[${index}]' must be an object, found ${kindOf(message)}`);
  });
}

async function chainOf(owner: string, previous: string, { store }: TurnPorts): Promise<readonly StateRecord[]> {
  const chain = await store.chain({ owner, kind: 'thread', id: previous }, CHAIN_LIMITS);
  if (chain === 'too-long')
    throw refusal('thread_not_found', 'This thread has grown too long to be continued. Replay what matters under a new thread');
  if ('missing' in chain) {
    throw refusal(
      'thread_not_found',
      `No thread was found for previous_message_id '${previous.slice(0, 100)}'. Replay the conversation under a new thread`,
    );
  }
  return chain;
}

/** `system` and `tools` stand in the thread: a turn may leave them out or repeat them, not change them. */
function checkFixed(body: JsonObject, fixed: JsonObject): void {
  const changed = Object.entries(fixedOf(body)).flatMap(([name, value]) =>
    JSON.stringify(value) === JSON.stringify(fixed[name]) ? [] : [name],
  );
  if (changed.length === 0) return;
  const names = changed.map((name) => `'${name}'`).join(' and ');
  throw refusal(
    'thread_fingerprint_mismatch',
    `${names} cannot change within a thread. Leave them out, or replay the conversation under a new thread`,
  );
}

async function turnOf(body: JsonObject, wish: Wish, owner: string, ports: TurnPorts): Promise<Turn> {
  const { thread: _thread, ...rest } = body;
  const messages = newMessages(body);
  if (wish.type === 'create') return { body: rest, fixed: fixedOf(body), messages };
  const chain = await chainOf(owner, wish.previous, ports);
  const root = chain[0]?.value['fixed'];
  const fixed = isObject(root) ? root : {};
  checkFixed(body, fixed);
  const before = chain.flatMap(({ value }) => [...itemsIn(value, 'messages'), { role: 'assistant', content: itemsIn(value, 'content') }]);
  const history = unmarked(before);
  return {
    body: { ...rest, ...fixed, messages: [...(Array.isArray(history) ? history : []), ...messages] },
    fixed,
    messages,
    previous: wish.previous,
  };
}

/** A message that is over. */
interface Said {
  readonly content: readonly JsonObject[];
  readonly stopReason: Json | undefined;
}

/** Characters of a message's events: it is kept until it is over. */
const MAX_MESSAGE = 64 * 1024 * 1024;

const tooLong = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream sent a longer reply than can be kept', { code: 'upstream_too_long' }));

/** Passes a message on under the gateway's id and hears what was said, before the client hears of the end. */
function recordMessage(next: ReplyHandler, id: string, onSaid: (said: Said) => void): ReplyHandler {
  const collector = createMessageCollector();
  let length = 0;
  return {
    hasBegun: () => next.hasBegun(),
    isClosed: () => next.isClosed(),
    begin: (headers) => next.begin(headers),
    frame(data, event) {
      const body = parseObject(data);
      // What goes out after one that is too long is what was wrong.
      if (!body || length > MAX_MESSAGE) return next.frame(data, event);
      length += data.length;
      if (length > MAX_MESSAGE) throw tooLong();
      collector.event(body);
      if (collector.isComplete && body['type'] === 'message_stop') onSaid(collector);
      const { message } = body;
      if (body['type'] !== 'message_start' || !isObject(message)) return next.frame(data, event);
      return next.frame(JSON.stringify({ ...body, message: { ...message, id } }), event);
    },
    end: () => next.end(),
    whole(status, headers, bytes) {
      const message = status === 200 ? parseObject(bytes.toString('utf8')) : undefined;
      if (!message) return next.whole(status, headers, bytes);
      onSaid({ content: itemsIn(message, 'content'), stopReason: message['stop_reason'] });
      next.whole(status, headers, Buffer.from(JSON.stringify({ ...message, id })));
    },
    abort: () => next.abort(),
    onGone: (listener) => next.onGone(listener),
    onDrain: (listener) => next.onDrain(listener),
  };
}

/** The call without the flag of Anthropic's own threads. */
function withoutBeta(call: Call): Call['headers'] {
  const { 'anthropic-beta': betas, ...rest } = call.headers;
  if (typeof betas !== 'string') return call.headers;
  const kept = betas.split(',').filter((one) => !BETA.test(one.trim()));
  return kept.length === 0 ? rest : { ...rest, 'anthropic-beta': kept.join(',') };
}

/** Threads of Messages. */
export interface Threads {
  /** `undefined`: the request asks for none after all. */
  run(visit: Visit, call: Call): Promise<void> | undefined;
  /** A body to be counted, with what it continues. */
  expand(visit: Visit, body: JsonObject): Promise<JsonObject>;
}

/** Keeps a turn, once it is said. */
function keep({ store }: TurnPorts, call: Call, id: string, turn: Turn, said: Said): void {
  // A refused turn is not part of the conversation: the client drops it as well.
  if (said.stopReason === 'refusal') return;
  const { previous, messages, fixed } = turn;
  store.put({
    owner: call.key.id,
    kind: 'thread',
    id,
    position: 0,
    createdAt: call.at,
    ...(previous === undefined ? {} : { parent: previous }),
    value: { ...(previous === undefined ? { fixed } : {}), messages, content: said.content },
  });
}

async function answerTurn(ports: TurnPorts, visit: Visit, call: Call, body: JsonObject, wish: Wish): Promise<void> {
  const turn = await turnOf(body, wish, call.key.id, ports);
  const id = ports.exchange.newId('msg_');
  const recorder = recordMessage(httpHandler(visit.sink), id, (said) => keep(ports, call, id, turn, said));
  const prepared = { body: turn.body, replyId: id, raw: !holdsSealToken(turn.body) };
  await answerCall({ ...call, headers: withoutBeta(call), prepared }, createReplySink(recorder), ports.exchange);
}

/** A thread goes on from each of its messages once: throws the refusal where another call does that, or did. */
async function continueThread(
  ports: TurnPorts,
  visit: Visit,
  call: Call,
  body: JsonObject,
  wish: Extract<Wish, { type: 'continue' }>,
): Promise<void> {
  const unlock = await ports.locks.lock(`${call.key.id} ${wish.previous}`);
  if (!unlock)
    throw refusal('thread_continue_in_flight', 'Another request continues from this message. Wait for its end and continue from its reply');
  try {
    const next = await ports.store.children({ owner: call.key.id, kind: 'thread', parent: wish.previous }, CHAIN_LIMITS);
    if (next.length > 0)
      throw refusal('thread_already_continued', 'The thread was continued from this message before. Continue from the reply to that');
    await answerTurn(ports, visit, call, body, wish);
  } finally {
    unlock();
  }
}

/** Threads over the store. */
export function createThreads(ports: TurnPorts): Threads {
  return {
    run(visit, call) {
      const { limits } = call.snapshot.config;
      const body = parseBody(call.body);
      const wish = readWish(body);
      if (!wish) return undefined;
      if (!keepsState(limits)) {
        throw refusal(
          'thread_unsupported_request',
          'This gateway keeps no conversations (limits.storedBytes, limits.storedDays). Send the whole one without thread',
          {
            unsupported: [],
          },
        );
      }
      return wish.type === 'create' ? answerTurn(ports, visit, call, body, wish) : continueThread(ports, visit, call, body, wish);
    },
    async expand(visit, body) {
      const wish = readWish(body);
      return wish ? (await turnOf(body, wish, visit.key.id, ports)).body : body;
    },
  };
}
