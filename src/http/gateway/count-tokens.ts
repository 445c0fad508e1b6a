import { type ChatRequest, type Fault, GatewayError, gatewayFault, isObject, type JsonObject, type ProtocolId } from '../../ir/index.ts';
import {
  askCounter,
  checkWrappedModel,
  type Countable,
  type CounterFailure,
  type CounterWait,
  withMedia,
} from '../../exchange/ask-counter.ts';
import type { Routing } from '../../exchange/call.ts';
import { CLIENT_GONE, recordHead } from '../../exchange/call-record.ts';
import { decideCount } from '../../exchange/decide-call.ts';
import { type ExchangePorts, respondFault } from '../../exchange/exchange.ts';
import type { CallRecord } from '../../exchange/ports.ts';
import { readMoment } from '../../exchange/trying/moment.ts';
import { timeoutsOf } from '../../exchange/trying/one-try.ts';
import { parseBody } from '../../exchange/write-request.ts';
import { triedInOrder } from '../../policy/candidate.ts';
import { keepDecision, type KeptDecision } from '../../policy/kept-decision.ts';
import type { Provider } from '../../presets/preset.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import type { Operation } from './endpoints.ts';
import { respondJson, type Services, type Visit } from './visit.ts';
import { readRouting } from './read-routing.ts';
import { checkedModel, modelOf, type ScannedBody } from './read-call.ts';

type CountOperation = Extract<Operation, { kind: 'count-tokens' }>;

/** What a local count gives; `why`, or `undefined`: it cannot be counted within the promised bounds (5 % low, 25 % high). */
export interface LocalCounter {
  /** `on`: the protocol in which the model would be called. */
  count(request: ChatRequest, model: string, on: ProtocolId): Promise<{ readonly tokens: number } | { readonly why: string } | undefined>;
}

/** Targets that are asked at most, one after the other: each may take a while. */
const MAX_TARGETS = 3;

interface Target {
  readonly provider: Provider;
  readonly model: string;
  readonly protocol: ProtocolId;
}

/** What is asked, with what has become of it for its record. */
interface Counting {
  readonly asked: string;
  readonly body: JsonObject;
  readonly routing?: Routing;
  route?: KeptDecision;
  last?: Target;
  attempts: number;
}

/**
 * The targets that a call with this body would be tried at, in order. Nobody takes a turn by counting: the call that follows goes where
 * it was counted for. Throws the refusal where there is none.
 */
function targetsOf(visit: Visit, counting: Counting, ports: ExchangePorts): readonly Target[] {
  const { snapshot, key, path, client, headers, address } = visit;
  const { asked, body, routing } = counting;
  const decided = decideCount(
    {
      snapshot,
      model: asked,
      key,
      client,
      headers,
      body: Buffer.alloc(0),
      prepared: { body: innerBody(client, body), raw: false },
      ...(path.platform === undefined ? {} : { platform: path.platform }),
      ...(address === undefined ? {} : { address }),
      ...(routing ? { routing } : {}),
    },
    readMoment(ports, snapshot),
  );
  counting.route = keepDecision(decided);
  const { candidates, refusal } = decided.decision;
  const found = triedInOrder(candidates).flatMap((candidate): Target[] => {
    const { model, protocol, after } = candidate;
    const provider = snapshot.providers.get(candidate.provider);
    if (!provider || !protocol || after !== undefined) return [];
    return [{ provider: { ...provider, timeouts: timeoutsOf({ candidate, provider }) }, model, protocol }];
  });
  if (found.length > 0) return found;
  const { kind, message } = refusal ?? { kind: 'not_found' as const, message: `Unknown model '${asked}'` };
  throw new GatewayError(gatewayFault(kind, message, { code: 'model_not_found', param: 'model' }));
}

/** A count in the words of the client's protocol. */
function inWords(visit: Visit, tokens: number): JsonObject {
  if (visit.client.id === 'gemini') return { totalTokens: tokens };
  if (visit.client.id === 'openai-responses') return { object: 'response.input_tokens', input_tokens: tokens };
  return { input_tokens: tokens };
}

/** What is to be counted, where it would stand in a call: Gemini's request may wrap one. */
function innerBody(client: ClientCodec, body: JsonObject): JsonObject {
  const wrapped = client.id === 'gemini' ? body['generateContentRequest'] : undefined;
  return isObject(wrapped) ? wrapped : body;
}

/** A counting request read like a call. */
const decoded = (client: ClientCodec, body: JsonObject, model: string): ChatRequest =>
  client.decodeRequest({ ...innerBody(client, body), model, ...(client.id === 'gemini' ? { stream: false } : {}) });

/** Headers of the client that the counter of its own protocol understands. */
function passed(headers: Visit['headers']): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of ['anthropic-version', 'anthropic-beta']) {
    const value = headers[name];
    if (typeof value === 'string') out[name] = value;
  }
  return out;
}

function notCounted(asked: string, why: string | undefined): GatewayError {
  const reason = why ?? 'a local count would be a guess';
  return new GatewayError(
    gatewayFault(
      'not_implemented',
      `The tokens of this request cannot be counted for '${asked}': its provider gave no count, and here ${reason}`.slice(0, 1000),
      { code: 'count_not_available' },
    ),
  );
}

/** What was counted, and who did. */
interface Count {
  readonly body: JsonObject;
  readonly by: 'provider' | 'local';
}

/** Why it was not counted for a target: what is amiss here, and how its provider's counter failed where it has one. */
interface NotCounted extends Partial<CounterWait>, Partial<Pick<CounterFailure, 'fault'>> {
  readonly why?: string;
}

/**
 * Counts for one target: by its provider's counter, else here; else why not. `undefined`: the client has gone. Throws the counter's
 * refusal of the client's own request.
 */
async function countAt(
  visit: Visit,
  target: Target,
  counting: Counting,
  more: Pick<Countable, 'signal' | 'leftMs' | 'anyway'>,
  ports: ExchangePorts,
  counter: LocalCounter,
): Promise<Count | NotCounted | undefined> {
  const { provider, model, protocol } = target;
  const { client } = visit;
  counting.last = target;
  const request = decoded(client, counting.body, model);
  const countable: Countable = { client: client.id, body: counting.body, request, headers: passed(visit.headers), ...more };
  const own = await askCounter(countable, provider, model, ports, () => void counting.attempts++);
  if (own && 'tokens' in own) return { body: own.own ?? inWords(visit, own.tokens), by: 'provider' };
  if (visit.sink.closed) return undefined;
  if (own && 'fault' in own && own.isMistake) throw new GatewayError(own.fault);
  // Here it could not be counted before.
  if (more.anyway) return { ...own };
  // A counter that is in trouble is as good as none where the count can be made here, and says so.
  const facts = provider.wires.get(protocol)?.factsOf(model);
  // What cannot be fetched has no size: the counter says so.
  let full: Fault | undefined;
  const unfetched = (error: unknown): typeof request => {
    // There is no room to fetch it just now: it may be counted a little later.
    if (error instanceof GatewayError && error.fault.kind === 'overloaded') full = error.fault;
    return request;
  };
  const whole = facts ? await withMedia(countable, facts, ports).catch(unfetched) : request;
  const local = await counter.count(whole, model, protocol);
  if (!local || 'why' in local) return { ...local, ...(full ? { fault: full } : {}), ...own };
  return { body: inWords(visit, local.tokens), by: 'local' };
}

/** Counts for the first target for which it can be counted, and answers. */
async function count(visit: Visit, counting: Counting, ports: ExchangePorts, counter: LocalCounter): Promise<void> {
  const gone = new AbortController();
  visit.sink.onGone(() => gone.abort());
  let first: NotCounted | undefined;
  let trouble: Fault | undefined;
  const targets = targetsOf(visit, counting, ports).slice(0, MAX_TARGETS);
  const endsAt = ports.clock.monotonic() + (targets[0]?.provider.timeouts.total ?? 0);
  const turns = targets.map((target) => ({ target, anyway: false }));
  for (const { target, anyway } of turns) {
    // The last one has all that is left.
    const leftMs = Math.ceil(endsAt - ports.clock.monotonic());
    if (leftMs <= 0) break;
    const counted = await countAt(visit, target, counting, { signal: gone.signal, leftMs, anyway }, ports, counter);
    if (!counted || visit.sink.closed) return;
    if ('by' in counted) return respondJson(visit, 200, counted.body, { 'x-pailou-count': counted.by });
    first ??= counted;
    trouble ??= counted.fault;
    // Nobody is left alone where nobody else can count it.
    if (counted.waits) turns.push({ target, anyway: true });
  }
  // Somebody can count it, though not now: to say that nobody can would be wrong.
  if (trouble) throw new GatewayError(trouble);
  throw notCounted(counting.asked, first?.why);
}

/** What is recorded of a count: where it was counted for, not what was counted, which nobody pays for. */
function recordOf(visit: Visit, counting: Counting, status: number, fault: Fault | undefined, ports: ExchangePorts): CallRecord {
  const { asked, route, last, attempts } = counting;
  const isGone = visit.sink.closed && !visit.sink.begun;
  return {
    ...recordHead(visit, 'count_tokens', asked),
    status: isGone ? CLIENT_GONE : status,
    attempts,
    durationMs: ports.clock.monotonic() - visit.started,
    endedBy: isGone ? 'client' : 'gateway',
    ...(last ? { provider: last.provider.name, model: last.model } : {}),
    ...(fault ? { fault: fault.code ?? fault.kind } : {}),
    ...(route ? { route } : {}),
  };
}

/**
 * Counts a request's tokens for the target that it would go to: its provider's own counter first, else a local count that is marked as
 * one; where neither can, for the next target. Else the failure of the counter that there is; 501 where there is none. Never a made-up
 * 200.
 */
export function createCountTokensService(
  ports: ExchangePorts,
  counter: LocalCounter,
  expand: Services['expand'],
): (visit: Visit, operation: CountOperation, body: ScannedBody) => Promise<void> {
  return async (visit, operation, received) => {
    const { scanned, routing } = readRouting(received, visit);
    const asked = operation.model === undefined ? modelOf(scanned) : checkedModel(operation.model);
    const body = await expand(visit, parseBody(scanned.body));
    if (visit.client.id === 'gemini') checkWrappedModel(body, asked);
    const counting: Counting = { asked, body, attempts: 0, ...(routing ? { routing } : {}) };
    try {
      await count(visit, counting, ports, counter);
      ports.record(recordOf(visit, counting, 200, undefined, ports));
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const { fault } = error;
      ports.record(recordOf(visit, counting, respondFault(visit, visit.sink, fault), fault, ports));
    }
  };
}
