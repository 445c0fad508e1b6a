import { type Fault, GatewayError, gatewayFault, isObject, type JsonObject, missingField, parseObject } from '../ir/index.ts';
import type { AttemptEnd, Call } from '../exchange/call.ts';
import type { OutHeaders } from '../exchange/client-sink.ts';
import { respondFault, runExchange } from '../exchange/exchange.ts';
import { callHeaders } from '../exchange/out-headers.ts';
import type { Visit } from '../http/gateway/visit.ts';
import type { ClientCodec } from '../protocols/protocol.ts';
import { optionalString, requiredString } from '../wire/fields.ts';
import { answerJson, bodyOf } from './answer.ts';
import { compactionItem } from './compaction-item.ts';
import { isUserMessage, itemsIn, keptItem } from './items.ts';
import { createReplySink, httpHandler, type ReplyHandler } from './reply-handler.ts';
import { replayedFrames } from './response-frames.ts';
import { type ReadyResponse, readyResponse, readWishes } from './response-request.ts';
import type { TurnPorts } from './turn-ports.ts';

const TASK =
  'Sum up this conversation so that another assistant can go on with it without having seen it. Keep: what the user wants, ' +
  'decisions and their reasons, facts, names, numbers, code and file names that still matter, what tools found, what was ' +
  'done and what remains to be done. Answer with the summary alone.';

/** Fields of a compaction that its call has too. */
const PASSED = ['instructions', 'service_tier', 'prompt_cache_key'] as const;

/** The window, then the task. Calls without a result would be refused: they are told as they are, as text. */
function askFor(body: JsonObject, model: string, window: readonly JsonObject[]): JsonObject {
  const passed = Object.fromEntries(PASSED.flatMap((name) => (body[name] == null ? [] : [[name, body[name]]])));
  const answered = new Set(window.flatMap((item) => (String(item['type']).endsWith('_output') ? [item['call_id']] : [])));
  const told = window.map((item) => {
    const isOpen = (item['type'] === 'function_call' || item['type'] === 'custom_tool_call') && !answered.has(item['call_id']);
    if (!isOpen) return item;
    const text = `Called ${String(item['name'])} with ${String(item['arguments'] ?? item['input'])}; no result yet.`;
    return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] };
  });
  return { ...passed, model, input: [...told, { type: 'message', role: 'user', content: [{ type: 'input_text', text: TASK }] }] };
}

interface Answer {
  readonly status: number;
  readonly headers: OutHeaders;
  readonly body: Buffer;
}

/** Who waits for the whole answer. */
type Waiter = Pick<ReplyHandler, 'isClosed' | 'onGone'>;

function waiting(waiter: Waiter, then: (answer: Answer) => void): ReplyHandler {
  return {
    hasBegun: () => false,
    isClosed: () => waiter.isClosed(),
    begin: () => undefined,
    frame: () => true,
    end: () => undefined,
    whole: (status, headers, body) => then({ status, headers, body }),
    abort: () => then({ status: 502, headers: {}, body: Buffer.alloc(0) }),
    onGone: (listener) => waiter.onGone(listener),
    onDrain: () => undefined,
  };
}

/** The text of a response's answer. */
const textOf = (response: JsonObject): string =>
  itemsIn(response, 'output')
    .filter((item) => item['type'] === 'message')
    .flatMap((item) => itemsIn(item, 'content'))
    .map((part) => (typeof part['text'] === 'string' ? part['text'] : ''))
    .join('')
    .trim();

const TOO_MUCH = gatewayFault('upstream', 'The upstream answered with more than can be held', { code: 'upstream_malformed' });

/** A window that was summed up, or why it was not. */
type Summed =
  | { readonly item: JsonObject; readonly usage: JsonObject | null; readonly model: string; readonly asked: OutHeaders }
  | { readonly refused: Answer; readonly end: AttemptEnd; readonly asked: OutHeaders }
  | undefined;

/** Who was asked, and how often. */
const ASKED = ['x-pailou-served-by', 'x-pailou-attempts'] as const;

/** Has the model sum a window up. `undefined`: whoever waited has gone. Rejects where the model says nothing. */
async function sumUp(call: Call, asked: JsonObject, ready: ReadyResponse, waiter: Waiter, ports: TurnPorts): Promise<Summed> {
  const { prepared } = ready;
  const body = askFor(asked, call.model, itemsIn(prepared.body, 'input'));
  let answer: Answer | undefined;
  const sink = createReplySink(waiting(waiter, (given) => (answer = given)));
  const end = await runExchange({ ...call, stream: false, strict: false, prepared: { ...prepared, body } }, sink, ports.exchange);
  const given = answer as Answer | undefined;
  if (!given) return undefined;
  const whom = Object.fromEntries(ASKED.flatMap((name) => (given.headers[name] === undefined ? [] : [[name, given.headers[name]]])));
  if (given.status !== 200) return { refused: given, end, asked: whom };
  const response = parseObject(given.body.toString('utf8')) ?? {};
  const summary = textOf(response);
  if (summary === '') {
    throw new GatewayError(gatewayFault('upstream', 'The model gave no summary of the conversation', { code: 'compaction_empty' }));
  }
  const item = compactionItem(summary, call.key.id, ports.exchange.newId('cmp_'), await ports.sealer());
  return {
    item,
    usage: isObject(response['usage']) ? response['usage'] : null,
    model: String(response['model'] ?? call.model),
    asked: whom,
  };
}

function callOf(visit: Visit, model: string, client: ClientCodec): Call {
  const { id, at, started, key, headers, snapshot, label, path } = visit;
  return {
    id,
    at,
    started,
    key,
    client,
    operation: 'generate',
    model,
    stream: false,
    form: 'sse',
    strict: false,
    body: Buffer.alloc(0),
    scan: { values: new Map(), inside: 1, empty: true, depth: 1 },
    headers,
    snapshot,
    ...(label === undefined ? {} : { label }),
    ...(path.platform === undefined ? {} : { platform: path.platform }),
  };
}

/**
 * POST /responses/compact: the model sums the window up; what comes back is every message of the user and one compaction
 * item that holds the summary, sealed. It is the gateway's own work on every provider.
 */
export async function compact(visit: Visit, bytes: Buffer, client: ClientCodec, ports: TurnPorts): Promise<void> {
  const { exchange } = ports;
  const asked = bodyOf(visit, bytes);
  const model = requiredString(asked, 'model');
  if (model === '') throw missingField('model');
  const previous = optionalString(asked, 'previous_response_id');
  const window = { input: asked['input'], ...(previous === undefined ? {} : { previous_response_id: previous }) };
  const ready = await readyResponse(window, readWishes(window, true), visit.key.id, ports);
  const call = callOf(visit, model, client);
  // Who was kept waiting by white space is told so as well, as far as it can be.
  const refuse = (fault: Fault, end?: AttemptEnd, more?: OutHeaders): void => void respondFault(call, visit.sink, fault, end, more);
  const summed = await sumUp(call, asked, ready, httpHandler(visit.sink), ports).catch((error: unknown) => {
    if (!(error instanceof GatewayError)) throw error;
    refuse(error.fault);
  });
  if (!summed) return;
  if ('refused' in summed) return refuse(summed.end.fault ?? TOO_MUCH, summed.end, summed.asked);
  const kept = [...ready.history.items, ...ready.input].filter(isUserMessage).map((item) => keptItem(item, exchange.newId));
  const compaction = {
    id: exchange.newId('resp_'),
    object: 'response.compaction',
    created_at: Math.floor(visit.at / 1000),
    output: [...kept, summed.item],
    usage: summed.usage,
  };
  answerJson(visit, compaction, summed.asked);
}

/** A turn that ends with `compaction_trigger`: its response is the compaction item. `response` is what it begins as. */
export async function compactTurn(
  call: Call,
  ready: ReadyResponse,
  response: JsonObject,
  client: ReplyHandler,
  ports: TurnPorts,
): Promise<void> {
  const summed = await sumUp(call, ready.prepared.body, ready, client, ports);
  if (!summed) return;
  if ('refused' in summed) {
    const { status, headers, body } = summed.refused;
    client.whole(status, headers, body);
    return;
  }
  const { item, usage, model } = summed;
  const completed_at = Math.floor(ports.exchange.clock.now() / 1000);
  const done = { ...response, status: 'completed', completed_at, model, output: [item], usage };
  const headers = { ...callHeaders(call), ...summed.asked };
  if (!call.stream) {
    client.whole(200, { ...headers, 'content-type': 'application/json' }, Buffer.from(JSON.stringify(done)));
    return;
  }
  client.begin({ ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const { data, event } of replayedFrames(done)) client.frame(data, event);
  client.end();
}
