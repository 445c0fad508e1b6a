import { badField, GatewayError, gatewayFault, isObject, type JsonObject, kindOf } from '../ir/index.ts';
import type { Visit } from '../http/gateway/visit.ts';
import { optionalObject, requiredArray } from '../wire/fields.ts';
import { answerJson, bodyOf, unknownPath, wrongMethod } from './answer.ts';
import { conversationItems, conversationNotFound, resolveReferences } from './history.ts';
import { inputItems } from './items.ts';
import { itemPage, listOf } from './paging.ts';
import type { StateRecord } from './ports.ts';
import { appendItems, itemKey } from './turns.ts';
import type { TurnPorts } from './turn-ports.ts';

/** Items that one request may add, as OpenAI bounds it. */
const MOST_ITEMS = 20;
const MOST_METADATA = 16;

const itemNotFound = (id: string): GatewayError =>
  new GatewayError(
    gatewayFault('not_found', `Item with id '${id.slice(0, 100)}' not found.`, { param: 'item_id', code: 'item_not_found' }),
  );

/** https://platform.openai.com/docs/api-reference/conversations: 16 pairs, keys of 64 characters, values of 512. */
function metadataOf(body: JsonObject): JsonObject {
  const metadata = optionalObject(body, 'metadata') ?? {};
  const pairs = Object.entries(metadata);
  if (pairs.length > MOST_METADATA) throw badField('metadata', `Invalid request: 'metadata' may have ${MOST_METADATA} pairs at most`);
  for (const [name, value] of pairs) {
    const path = `metadata.${name.slice(0, 64)}`;
    if (name.length > 64) throw badField(path, "Invalid request: a key of 'metadata' may have 64 characters at most");
    if (typeof value !== 'string') throw badField(path, `Invalid request: '${path}' must be a string, found ${kindOf(value)}`);
    if (value.length > 512) throw badField(path, `Invalid request: '${path}' may have 512 characters at most`);
  }
  return metadata;
}

function newItems(body: JsonObject): readonly JsonObject[] {
  const items = inputItems(body['items'], 'items');
  if (items.length > MOST_ITEMS) throw badField('items', `Invalid request: 'items' may have ${MOST_ITEMS} items at most`);
  return items;
}

const conversationOf = ({ id, createdAt, value }: StateRecord): JsonObject => ({
  id,
  object: 'conversation',
  created_at: Math.floor(createdAt / 1000),
  metadata: isObject(value['metadata']) ? value['metadata'] : {},
});

async function recordOf(visit: Visit, id: string, ports: TurnPorts): Promise<StateRecord> {
  const record = await ports.store.get({ owner: visit.key.id, kind: 'conversation', id });
  if (!record) throw conversationNotFound(id);
  return record;
}

async function create(visit: Visit, body: JsonObject, ports: TurnPorts): Promise<void> {
  const owner = visit.key.id;
  const metadata = metadataOf(body);
  const items = await resolveReferences(ports.store, owner, newItems(body), [], 'items');
  const id = ports.exchange.newId('conv_');
  const record: StateRecord = { owner, kind: 'conversation', id, position: 0, createdAt: visit.at, value: { metadata } };
  ports.store.put(record);
  appendItems({ owner, conversation: id, history: { items: [] } }, items, ports);
  answerJson(visit, conversationOf(record));
}

async function update(visit: Visit, id: string, body: JsonObject, ports: TurnPorts): Promise<void> {
  const record = await recordOf(visit, id, ports);
  const changed = { ...record, value: { ...record.value, metadata: metadataOf(body) } };
  ports.store.put(changed);
  answerJson(visit, conversationOf(changed));
}

async function remove(visit: Visit, id: string, ports: TurnPorts): Promise<void> {
  const owner = visit.key.id;
  await recordOf(visit, id, ports);
  await ports.store.deleteChildren({ owner, kind: 'item', parent: id });
  await ports.store.delete({ owner, kind: 'conversation', id });
  answerJson(visit, { id, object: 'conversation.deleted', deleted: true });
}

async function addItems(visit: Visit, id: string, body: JsonObject, ports: TurnPorts): Promise<void> {
  const owner = visit.key.id;
  requiredArray(body, 'items');
  const history = await conversationItems(ports.store, owner, id);
  const items = await resolveReferences(ports.store, owner, newItems(body), history.items, 'items');
  answerJson(visit, listOf(appendItems({ owner, conversation: id, history }, items, ports)));
}

async function listItems(visit: Visit, id: string, ports: TurnPorts): Promise<void> {
  const { items } = await conversationItems(ports.store, visit.key.id, id);
  answerJson(visit, itemPage(items, visit.path.query));
}

async function itemOf(visit: Visit, id: string, itemId: string, ports: TurnPorts): Promise<StateRecord> {
  await recordOf(visit, id, ports);
  const item = await ports.store.get({ owner: visit.key.id, kind: 'item', id: itemKey(id, itemId) });
  if (!item) throw itemNotFound(itemId);
  return item;
}

async function removeItem(visit: Visit, id: string, itemId: string, ports: TurnPorts): Promise<void> {
  await itemOf(visit, id, itemId, ports);
  await ports.store.delete({ owner: visit.key.id, kind: 'item', id: itemKey(id, itemId) });
  answerJson(visit, conversationOf(await recordOf(visit, id, ports)));
}

type Handler = (visit: Visit, body: () => JsonObject, ports: TurnPorts) => Promise<void>;

/** The methods of one path. */
function methodsOf(rest: readonly string[]): Readonly<Record<string, Handler>> {
  const [id, word, itemId, ...more] = rest;
  if (more.length > 0 || (word !== undefined && word !== 'items')) throw unknownPath();
  if (id === undefined) return { POST: (visit, body, ports) => create(visit, body(), ports) };
  if (word === undefined) {
    return {
      GET: async (visit, _, ports) => answerJson(visit, conversationOf(await recordOf(visit, id, ports))),
      POST: (visit, body, ports) => update(visit, id, body(), ports),
      DELETE: (visit, _, ports) => remove(visit, id, ports),
    };
  }
  if (itemId === undefined) {
    return { GET: (visit, _, ports) => listItems(visit, id, ports), POST: (visit, body, ports) => addItems(visit, id, body(), ports) };
  }
  return {
    GET: async (visit, _, ports) => answerJson(visit, (await itemOf(visit, id, itemId, ports)).value),
    DELETE: (visit, _, ports) => removeItem(visit, id, itemId, ports),
  };
}

/** `/conversations` and what is below it. */
export function conversationEndpoint(visit: Visit, rest: readonly string[], body: Buffer, ports: TurnPorts): Promise<void> {
  const methods = methodsOf(rest);
  const handler = methods[visit.method === 'HEAD' ? 'GET' : visit.method];
  if (!handler) throw wrongMethod(Object.keys(methods).join(', '));
  return handler(visit, () => bodyOf(visit, body), ports);
}
