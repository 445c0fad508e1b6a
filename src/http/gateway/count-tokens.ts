import { type ChatRequest, GatewayError, gatewayFault, isObject, type JsonObject, type ProtocolId } from '../../ir/index.ts';
import { askCounter, checkWrappedModel, type Countable, type ProviderCount, withMedia } from '../../exchange/ask-counter.ts';
import type { ExchangePorts } from '../../exchange/exchange.ts';
import { parseBody } from '../../exchange/write-request.ts';
import { decide } from '../../policy/decide.ts';
import type { Provider } from '../../presets/preset.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import type { Operation } from './endpoints.ts';
import { respondJson, type Services, type Visit } from './handle.ts';
import { checkedModel, modelOf, type ScannedBody } from './read-call.ts';

type CountOperation = Extract<Operation, { kind: 'count-tokens' }>;

/** What a local count gives; `why`, or `undefined`: it cannot be counted within the promised bounds (5 % low, 25 % high). */
export interface LocalCounter {
  /** `on`: the protocol in which the model would be called. */
  count(request: ChatRequest, model: string, on: ProtocolId): Promise<{ readonly tokens: number } | { readonly why: string } | undefined>;
}

interface Target {
  readonly provider: Provider;
  readonly model: string;
  readonly protocol: ProtocolId;
}

function chosen(visit: Visit, model: string): Target {
  const { snapshot, key, path, client } = visit;
  const pinned = path.platform === undefined ? {} : { platform: path.platform };
  const decision = decide(snapshot, { model, protocol: client.id, operation: 'generate', key, ...pinned });
  const candidate = decision.candidates.find((one) => one.verdict === 'chosen');
  const provider = candidate && snapshot.providers.get(candidate.provider);
  if (!candidate?.protocol || !provider) {
    const refusal = decision.refusal ?? { kind: 'not_found' as const, message: `Unknown model '${model}'` };
    throw new GatewayError(gatewayFault(refusal.kind, refusal.message, { code: 'model_not_found', param: 'model' }));
  }
  return { provider, model: candidate.model, protocol: candidate.protocol };
}

/** A count in the words of the client's protocol. */
function inWords(visit: Visit, tokens: number): JsonObject {
  if (visit.client.id === 'gemini') return { totalTokens: tokens };
  if (visit.client.id === 'openai-responses') return { object: 'response.input_tokens', input_tokens: tokens };
  return { input_tokens: tokens };
}

/** A counting request read like a call: Gemini's may wrap one. */
function decoded(client: ClientCodec, body: JsonObject, model: string): ChatRequest {
  const wrapped = client.id === 'gemini' ? body['generateContentRequest'] : undefined;
  const inner = isObject(wrapped) ? wrapped : body;
  return client.decodeRequest({ ...inner, model, ...(client.id === 'gemini' ? { stream: false } : {}) });
}

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

/** Counts a request's tokens: the provider's own counter first, else a local count that is marked as one, else 501. Never a made-up 200. */
export function createCountTokensService(
  ports: ExchangePorts,
  counter: LocalCounter,
  expand: Services['expand'],
): (visit: Visit, operation: CountOperation, body: ScannedBody) => Promise<void> {
  return async (visit, operation, scanned) => {
    const asked = operation.model === undefined ? modelOf(scanned) : checkedModel(operation.model);
    const body = await expand(visit, parseBody(scanned.body));
    if (visit.client.id === 'gemini') checkWrappedModel(body, asked);
    const { provider, model, protocol } = chosen(visit, asked);
    const request = decoded(visit.client, body, model);
    const gone = new AbortController();
    visit.sink.onGone(() => gone.abort());
    const countable: Countable = { client: visit.client.id, body, request, headers: passed(visit.headers), signal: gone.signal };
    // A counter that fails is as good as none: the local count answers, and says so.
    const own: ProviderCount | undefined = await askCounter(countable, provider, model, ports).catch(() => undefined);
    if (own) {
      respondJson(visit, 200, own.own ?? inWords(visit, own.tokens), { 'x-pailou-count': 'provider' });
      return;
    }
    if (visit.sink.closed) return;
    const facts = provider.wires.get(protocol)?.factsOf(model);
    // What cannot be fetched has no size: the counter says so.
    const whole = facts ? await withMedia(countable, facts, ports).catch(() => request) : request;
    const local = await counter.count(whole, model, protocol);
    if (!local || 'why' in local) throw notCounted(asked, local?.why);
    respondJson(visit, 200, inWords(visit, local.tokens), { 'x-pailou-count': 'local' });
  };
}
