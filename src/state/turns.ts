import type { Call } from '../exchange/call.ts';
import { answerCall } from '../exchange/once/answer-call.ts';
import { GatewayError, gatewayFault, isObject, type JsonObject } from '../ir/index.ts';
import type { History } from './history.ts';
import { itemsIn, keptItem } from './items.ts';
import { compactTurn } from './compact.ts';
import { createReplySink, type ReplyHandler } from './reply-handler.ts';
import { keepsState, type ReadyResponse, readyResponse, readWishes, type Recall, type StateWishes } from './response-request.ts';
import type { TurnPorts } from './turn-ports.ts';
import { recordResponse } from './response-recorder.ts';

/** A response that is over, as it is kept or remembered. */
export interface FinishedTurn {
  readonly id: string;
  /** Everything that the next turn continues. */
  readonly items: readonly JsonObject[];
  readonly isStored: boolean;
}

/** What a caller wants to know of a turn. */
export interface TurnWatch {
  readonly recall?: Recall;
  /** Its id, as soon as it has one. */
  readonly onFinished?: (turn: FinishedTurn) => void;
  readonly onFailed?: () => void;
}

const DONE: ReadonlySet<unknown> = new Set(['completed', 'incomplete']);

/** Members of the response that are the gateway's to say. */
export function ownMembers(id: string, ready: ReadyResponse): JsonObject {
  const { store, background, previous, conversation } = ready.wishes;
  return {
    id,
    store,
    background,
    previous_response_id: previous ?? null,
    ...(conversation === undefined ? {} : { conversation: { id: conversation } }),
  };
}

/** The first form of a response, before anything is known of it. */
export function firstResponse(ready: ReadyResponse, call: Call, members: JsonObject): JsonObject {
  const { body } = ready.prepared;
  const echoed = [
    'instructions',
    'max_output_tokens',
    'metadata',
    'model',
    'parallel_tool_calls',
    'temperature',
    'text',
    'tool_choice',
    'tools',
    'top_p',
    'truncation',
  ];
  const echo = Object.fromEntries(echoed.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])));
  return {
    object: 'response',
    created_at: Math.floor(call.at / 1000),
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    temperature: null,
    top_p: null,
    usage: null,
    ...echo,
    ...members,
    status: 'queued',
    output: [],
  };
}

/** Puts a response into the store, with what it was made from and an index of its items. */
export function keepResponse(call: Call, ready: ReadyResponse, response: JsonObject, ports: TurnPorts, more: JsonObject = {}): void {
  const { store, exchange } = ports;
  const { wishes, history } = ready;
  const id = String(response['id']);
  const record = { owner: call.key.id, position: 0, createdAt: call.at };
  store.put({
    ...record,
    kind: 'response',
    id,
    ...(wishes.previous === undefined || history.isLoose ? {} : { parent: wishes.previous }),
    value: {
      ...(history.isLoose ? { before: history.items } : {}),
      response,
      input: ready.input.map((item) => keptItem(item, exchange.newId)),
      ...(wishes.conversation === undefined ? {} : { conversation: wishes.conversation, until: history.position ?? 0 }),
      ...more,
    },
  });
  for (const item of itemsIn(response, 'output')) {
    if (typeof item['id'] === 'string') store.put({ ...record, kind: 'reference', id: item['id'], parent: id, value: {} });
  }
}

/** Items of different conversations may have the same id: clients bring their own. */
export const itemKey = (conversation: string, id: string): string => `${conversation} ${id}`;

/** Where in a conversation items are added. */
interface Place {
  readonly owner: string;
  readonly conversation: string;
  /** What is there already. */
  readonly history: History;
}

/** Adds items to a conversation, after those that are there. An id that is taken there gets another: some providers count anew each time. */
export function appendItems(
  { owner, conversation, history }: Place,
  items: readonly JsonObject[],
  ports: TurnPorts,
): readonly JsonObject[] {
  const { newId, clock } = ports.exchange;
  const taken = new Set(history.items.map((item) => item['id']));
  let position = history.position ?? 0;
  return items.map((item) => {
    const { id: given, ...nameless } = item;
    const value = keptItem(taken.has(given) ? nameless : item, newId);
    const id = String(value['id']);
    taken.add(id);
    position++;
    ports.store.put({
      owner,
      kind: 'item',
      id: itemKey(conversation, id),
      parent: conversation,
      position,
      createdAt: clock.now(),
      value,
    });
    return value;
  });
}

/** Keeps what a finished response leaves behind, before its client hears of the end. */
export function settleResponse(call: Call, ready: ReadyResponse, response: JsonObject, ports: TurnPorts, watch: TurnWatch = {}): void {
  const { wishes, history, input } = ready;
  const output = itemsIn(response, 'output');
  const isDone = DONE.has(response['status']);
  if (wishes.store) keepResponse(call, ready, response, ports);
  if (wishes.conversation !== undefined && isDone) {
    appendItems({ owner: call.key.id, conversation: wishes.conversation, history }, [...input, ...output], ports);
  }
  if (isDone) watch.onFinished?.({ id: String(response['id']), items: [...history.items, ...input, ...output], isStored: wishes.store });
  else watch.onFailed?.();
}

const locked = (conversation: string): GatewayError =>
  new GatewayError(
    gatewayFault('conflict', `Another response is being made in conversation '${conversation.slice(0, 100)}'. Try again when it is done`, {
      param: 'conversation',
      code: 'conversation_locked',
    }),
  );

/** Keeps a conversation for one response at a time, so that its items stay in order. Gives what opens it again. Rejects with the 409. */
export async function lockConversation(call: Call, { conversation }: StateWishes, ports: TurnPorts): Promise<() => void> {
  if (conversation === undefined) return () => undefined;
  const open = await ports.locks.lock(itemKey(call.key.id, conversation));
  if (!open) throw locked(conversation);
  let isHeld = true;
  return () => {
    // Once only: by then it may be another's.
    if (isHeld) open();
    isHeld = false;
  };
}

/** What a call says of state, under the limits in force. */
export const wishesOf = (call: Call, body: JsonObject): StateWishes => readWishes(body, keepsState(call.snapshot.config.limits));

/** Runs a turn that has everything: its answer by the provider, or the compaction that it asks for. */
export async function runReady(call: Call, ready: ReadyResponse, id: string, client: ReplyHandler, ports: TurnPorts): Promise<void> {
  if (ready.isTriggered) return compactTurn(call, ready, firstResponse(ready, call, { id }), client, ports);
  await answerCall({ ...call, prepared: { ...ready.prepared, replyId: id } }, createReplySink(client), ports.exchange);
}

/** Runs one turn towards a client that waits for it. Rejects with the fault of a request that cannot be run. */
export async function runTurn(call: Call, body: JsonObject, client: ReplyHandler, ports: TurnPorts, watch: TurnWatch = {}): Promise<void> {
  const { exchange } = ports;
  const wishes = wishesOf(call, body);
  const unlock = await lockConversation(call, wishes, ports);
  try {
    const ready = await readyResponse(body, wishes, call.key.id, ports, watch.recall);
    const id = exchange.newId('resp_');
    const recorder = recordResponse(client, {
      members: ownMembers(id, ready),
      onFinal(response) {
        settleResponse(call, ready, response, ports, watch);
        // Before its client hears of the end, who may send the next one at once.
        unlock();
      },
      onNothing: () => watch.onFailed?.(),
    });
    await runReady(call, ready, id, recorder, ports);
  } finally {
    unlock();
  }
}

/** A response without an answer, made so that a later turn can continue it (`generate: false` over a WebSocket). */
export async function prepareTurn(
  call: Call,
  body: JsonObject,
  client: ReplyHandler,
  ports: TurnPorts,
  watch: TurnWatch = {},
): Promise<void> {
  const { exchange } = ports;
  const ready = await readyResponse(body, wishesOf(call, body), call.key.id, ports, watch.recall);
  const response = firstResponse(ready, call, ownMembers(exchange.newId('resp_'), ready));
  const completed = { ...response, status: 'completed', completed_at: Math.floor(exchange.clock.now() / 1000) };
  settleResponse(call, ready, completed, ports, watch);
  const frames = [
    { type: 'response.created', response: { ...response, status: 'in_progress' } },
    { type: 'response.completed', response: completed },
  ];
  for (const [sequence_number, { type, response: stand }] of frames.entries()) {
    client.frame(JSON.stringify({ type, sequence_number, response: stand }), type);
  }
  client.end();
}

/** The response in a stored value. */
export const responseIn = (value: JsonObject): JsonObject => (isObject(value['response']) ? value['response'] : {});
