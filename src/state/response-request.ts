import { badField, GatewayError, gatewayFault, isObject, type Json, type JsonObject, kindOf } from '../ir/index.ts';
import type { Prepared, Target } from '../exchange/call.ts';
import { optionalBoolean, optionalString } from '../wire/fields.ts';
import { isOurs, openCompactions } from './compaction-item.ts';
import { conversationItems, type History, resolveReferences, responseHistory } from './history.ts';
import { holdsSealToken, inputItems, isUserMessage, itemsForProvider, itemsIn } from './items.ts';
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
  /** It asks for the window to be compacted, not to be answered. */
  readonly isTriggered: boolean;
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
function onRaw(body: JsonObject, items: readonly JsonObject[], { wire, model }: Target): JsonObject {
  const facts = wire.factsOf(model);
  const { include } = body;
  const asked = Array.isArray(include) ? include : [];
  const sealed = 'reasoning.encrypted_content';
  const wanted = facts.encryptedReasoning && facts.reasoningControl !== 'none' && !asked.includes(sealed);
  return {
    ...body,
    input: itemsForProvider(items),
    ...(wanted ? { include: [...asked, sealed] } : {}),
    ...(facts.store ? {} : { store: undefined }),
  };
}

const isTheirs = (item: JsonObject): boolean => item['type'] === 'compaction' && !isOurs(item);

/** What is left to be said of what is kept: since the last compaction of the gateway's own, what went before but the user's messages stands in it. */
function sinceCompacted(items: readonly JsonObject[]): readonly JsonObject[] {
  const at = items.findLastIndex(isOurs);
  return at <= 0 ? items : [...items.slice(0, at).filter(isUserMessage), ...items.slice(at)];
}

/** The final item that asks for the window to be compacted. Throws the 400 when it stands elsewhere. */
function takeTrigger(input: readonly JsonObject[]): { readonly input: readonly JsonObject[]; readonly isTriggered: boolean } {
  const at = input.findIndex((item) => item['type'] === 'compaction_trigger');
  if (at < 0) return { input, isTriggered: false };
  if (at < input.length - 1) throw badField(`input[${at}]`, "Invalid request: 'compaction_trigger' must be the final item");
  return { input: input.slice(0, at), isTriggered: true };
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
  const { input, isTriggered } = takeTrigger(inputItems(body['input']));
  const added = await resolveReferences(store, owner, input, history.items);
  const kept = sinceCompacted(history.items);
  // A provider's own compaction is for that provider; the others are told all that it stands for, which is kept here.
  const items = await openCompactions([...kept.filter((item) => !isTheirs(item)), ...added], owner, sealer);
  if (items.length === 0 && body['prompt'] === undefined) {
    throw new GatewayError(
      gatewayFault('bad_request', "Invalid request: missing required parameter 'input'", { param: 'input', code: 'missing_parameter' }),
    );
  }
  const last = kept.findLastIndex(isTheirs);
  const own = last < 0 ? items : await openCompactions([...kept.slice(last), ...added], owner, sealer);
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => !OWN_FIELDS.has(name)));
  const prepared: Prepared = {
    body: { ...rest, store: false, input: items },
    raw: !holdsSealToken(items as Json),
    onRaw: (sent, target) => onRaw(sent, sent['input'] === items ? own : itemsIn(sent, 'input'), target),
  };
  return { wishes, input: added, history, prepared, isTriggered };
}
