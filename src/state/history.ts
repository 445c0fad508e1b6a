import { GatewayError, gatewayFault, isObject, type JsonObject } from '../ir/index.ts';
import { itemsIn } from './items.ts';
import type { StateRecord, StateStore } from './ports.ts';

/** The longest chain of responses, and how many bytes of it, that one request may bring with it. */
export const CHAIN_LIMITS = { records: 2000, bytes: 64 * 1024 * 1024 } as const;

/** What a request continues. */
export interface History {
  readonly items: readonly JsonObject[];
  /** Place of the last item of the conversation, where it is one. */
  readonly position?: number;
  /** It is not in the store: what continues it must be kept with it. */
  readonly isLoose?: boolean;
}

const tooLong = (param: string): GatewayError =>
  new GatewayError(
    gatewayFault('too_large', `What '${param}' names is too long to be continued. Compact it, or start anew with what matters`, {
      param,
      code: 'context_too_large',
    }),
  );

const previousNotFound = (id: string): GatewayError =>
  new GatewayError(
    gatewayFault('bad_request', `Previous response with id '${id.slice(0, 100)}' not found.`, {
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    }),
  );

/** The 404 for a conversation that is not this key's. */
export const conversationNotFound = (id: string): GatewayError =>
  new GatewayError(
    gatewayFault('not_found', `Conversation with id '${id.slice(0, 100)}' not found.`, {
      param: 'conversation',
      code: 'conversation_not_found',
    }),
  );

function refuseUnfinished(record: StateRecord): void {
  const response = record.value['response'];
  const status = isObject(response) ? response['status'] : undefined;
  if (status !== 'queued' && status !== 'in_progress') return;
  throw new GatewayError(
    gatewayFault(
      'bad_request',
      `Previous response '${record.id}' is still ${String(status).replace('_', ' ')}. Wait for its end, or cancel it`,
      {
        param: 'previous_response_id',
        code: 'previous_response_not_finished',
      },
    ),
  );
}

const outputOf = (value: JsonObject): readonly JsonObject[] => {
  const response = value['response'];
  return isObject(response) ? itemsIn(response, 'output') : [];
};

/** Items of a conversation, in order; `until`: not those that came after this place. */
export async function conversationItems(store: StateStore, owner: string, id: string, until?: number): Promise<History> {
  const conversation = await store.get({ owner, kind: 'conversation', id });
  if (!conversation) throw conversationNotFound(id);
  const records = await store.children({ owner, kind: 'item', parent: id }, CHAIN_LIMITS);
  if (records === 'too-long') throw tooLong('conversation');
  const wanted = until === undefined ? records : records.filter((record) => record.position <= until);
  return { items: wanted.map((record) => record.value), position: wanted.at(-1)?.position ?? 0 };
}

/** What stood before the input of a response: the conversation, or the responses that it continues. */
async function before(store: StateStore, chain: readonly StateRecord[]): Promise<readonly JsonObject[]> {
  const [first] = chain;
  if (first && 'before' in first.value) return itemsIn(first.value, 'before');
  const id = first?.value['conversation'];
  const until = first?.value['until'];
  if (!first || typeof id !== 'string' || typeof until !== 'number') return [];
  const found = await conversationItems(store, first.owner, id, until).catch(() => undefined);
  // A conversation that was deleted since is gone from here too.
  return found?.items ?? [];
}

async function chainOf(store: StateStore, owner: string, id: string): Promise<readonly StateRecord[]> {
  const chain = await store.chain({ owner, kind: 'response', id }, CHAIN_LIMITS);
  if (chain === 'too-long') throw tooLong('previous_response_id');
  if ('missing' in chain) throw previousNotFound(chain.missing);
  return chain;
}

/** Everything up to and with a response's output: what a request continues that names it as its previous one. Throws the 400 when it is not there. */
export async function responseHistory(store: StateStore, owner: string, id: string): Promise<History> {
  const chain = await chainOf(store, owner, id);
  const last = chain.at(-1);
  if (last) refuseUnfinished(last);
  const items = chain.flatMap((record) => [...itemsIn(record.value, 'input'), ...outputOf(record.value)]);
  return { items: [...(await before(store, chain)), ...items] };
}

/** Everything that a response was made from: what stood before it, and its own input. */
export async function responseInput(store: StateStore, owner: string, id: string): Promise<readonly JsonObject[]> {
  const chain = await chainOf(store, owner, id);
  const items = chain.flatMap((record, index) => [
    ...itemsIn(record.value, 'input'),
    ...(index === chain.length - 1 ? [] : outputOf(record.value)),
  ]);
  return [...(await before(store, chain)), ...items];
}

/** An item that a request names by its id only. */
async function referenced(store: StateStore, owner: string, id: string): Promise<JsonObject | undefined> {
  const reference = await store.get({ owner, kind: 'reference', id });
  const response = reference?.parent === undefined ? undefined : await store.get({ owner, kind: 'response', id: reference.parent });
  return response && outputOf(response.value).find((one) => one['id'] === id);
}

/** An item that only names another. The type may be left out. */
const isReference = (item: JsonObject): boolean =>
  item['type'] === 'item_reference' ||
  ((item['type'] ?? undefined) === undefined && item['role'] === undefined && typeof item['id'] === 'string');

/** Puts the items in the place of what names them: those of `known`, and output items of kept responses. Throws the 400 that says which is not there. */
export async function resolveReferences(
  store: StateStore,
  owner: string,
  items: readonly JsonObject[],
  known: readonly JsonObject[] = [],
  param = 'input',
): Promise<readonly JsonObject[]> {
  if (!items.some(isReference)) return items;
  const out: JsonObject[] = [];
  for (const [index, item] of items.entries()) {
    const id = item['id'];
    if (!isReference(item)) {
      out.push(item);
      continue;
    }
    const found = known.find((one) => one['id'] === id) ?? (typeof id === 'string' ? await referenced(store, owner, id) : undefined);
    if (!found) {
      throw new GatewayError(
        gatewayFault('bad_request', `Item with id '${String(id).slice(0, 100)}' not found. Send the item itself`, {
          param: `${param}[${index}]`,
          code: 'item_not_found',
        }),
      );
    }
    out.push(found);
  }
  return out;
}
