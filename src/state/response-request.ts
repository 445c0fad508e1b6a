import { badField, GatewayError, gatewayFault, isObject, type Json, type JsonObject, kindOf } from '../ir/index.ts';
import type { Prepared, Target } from '../exchange/call.ts';
import { optionalBoolean, optionalString } from '../wire/fields.ts';
import { openCompactions } from './compaction-item.ts';
import { conversationItems, type History, resolveReferences, responseHistory } from './history.ts';
import { holdsSealToken, inputItems, itemsForProvider } from './items.ts';
import type { Sealer, StateStore } from './ports.ts';

/** What a request says of state, read and checked. */
export interface StateWishes {
  /** Keep the response: true unless the client said no. */
  readonly store: boolean;
  readonly background: boolean;
  readonly previous?: string;
  readonly conversation?: string;
}

/** A response whose request is complete: what went before is in it. */
export interface ReadyResponse {
  readonly wishes: StateWishes;
  /** The new items of this request, references resolved: what is kept as its input. */
  readonly input: readonly JsonObject[];
  readonly history: History;
  readonly prepared: Prepared;
}

/** A turn that a connection remembers. */
export interface Remembered {
  readonly items: readonly JsonObject[];
  /** It is in the store as well. */
  readonly isStored: boolean;
}

/** What is remembered outside the store. `undefined`: not it, look in the store. */
export type Recall = (id: string) => Remembered | undefined;

const NO_HISTORY: History = { items: [] };

function conversationOf(body: JsonObject): string | undefined {
  const { conversation } = body;
  if (conversation === undefined || conversation === null) return undefined;
  const id: Json | undefined = isObject(conversation) ? conversation['id'] : conversation;
  if (typeof id === 'string' && id !== '') return id;
  throw badField('conversation', `Invalid request: 'conversation' must be an id or an object with one, found ${kindOf(conversation)}`);
}

/** Whether anything is kept at all. */
export const keepsState = ({ storedBytes, storedDays }: { readonly storedBytes: number; readonly storedDays: number }): boolean =>
  storedBytes > 0 && storedDays > 0;

/** Reads what a request says of state; `keeps`: whether anything can be kept. Throws the 400 for what cannot go together. */
export function readWishes(body: JsonObject, keeps: boolean): StateWishes {
  const previous = optionalString(body, 'previous_response_id');
  const conversation = conversationOf(body);
  const store = (optionalBoolean(body, 'store') ?? true) && keeps;
  const background = optionalBoolean(body, 'background') ?? false;
  if (previous !== undefined && conversation !== undefined) {
    throw badField(
      'conversation',
      "Invalid request: 'previous_response_id' and 'conversation' cannot both be given",
      'mutually_exclusive_parameters',
    );
  }
  if (background && !store) {
    const why = keeps
      ? "needs 'store' to be true"
      : 'cannot be had here: this gateway keeps no responses (limits.storedBytes, limits.storedDays)';
    throw badField('background', `Invalid request: 'background' ${why}`);
  }
  return { store, background, ...(previous === undefined ? {} : { previous }), ...(conversation === undefined ? {} : { conversation }) };
}

async function historyOf(wishes: StateWishes, owner: string, store: StateStore, recall: Recall): Promise<History> {
  if (wishes.conversation !== undefined) return conversationItems(store, owner, wishes.conversation);
  if (wishes.previous === undefined) return NO_HISTORY;
  const recalled = recall(wishes.previous);
  if (!recalled) return responseHistory(store, owner, wishes.previous);
  return { items: recalled.items, ...(recalled.isStored ? {} : { isLoose: true }) };
}

/** State of the gateway's, that no provider is to see. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['previous_response_id', 'conversation', 'store', 'background', 'input']);

/**
 * A provider of this same protocol gets the whole window like any other, and is told to keep nothing: a chain may change
 * its provider at any turn, ids are the gateway's, and what a client deletes here must not live on there. Reasoning then
 * has to come back sealed, where the model has any.
 */
function onRaw(body: JsonObject, { wire, model }: Target): JsonObject {
  const facts = wire.factsOf(model);
  const { input, include } = body;
  const asked = Array.isArray(include) ? include : [];
  const sealed = 'reasoning.encrypted_content';
  const wanted = facts.encryptedReasoning && facts.reasoningControl !== 'none' && !asked.includes(sealed);
  return {
    ...body,
    ...(Array.isArray(input) ? { input: itemsForProvider(input.filter((item: unknown): item is JsonObject => isObject(item))) } : {}),
    ...(wanted ? { include: [...asked, sealed] } : {}),
    ...(facts.store ? {} : { store: undefined }),
  };
}

/** Brings together what a request continues and what it adds. The gateway always does so itself, whatever the provider could keep. */
export async function readyResponse(
  body: JsonObject,
  wishes: StateWishes,
  owner: string,
  { store, sealer }: { readonly store: StateStore; readonly sealer: () => Promise<Sealer> },
  recall: Recall = () => undefined,
): Promise<ReadyResponse> {
  const history = await historyOf(wishes, owner, store, recall);
  const input = await resolveReferences(store, owner, inputItems(body['input']), history.items);
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => !OWN_FIELDS.has(name)));
  const items = await openCompactions([...history.items, ...input], owner, sealer);
  if (items.length === 0 && body['prompt'] === undefined) {
    throw new GatewayError(
      gatewayFault('bad_request', "Invalid request: missing required parameter 'input'", { param: 'input', code: 'missing_parameter' }),
    );
  }
  const prepared: Prepared = { body: { ...rest, store: false, input: items }, raw: !holdsSealToken(items as Json), onRaw };
  return { wishes, input, history, prepared };
}
