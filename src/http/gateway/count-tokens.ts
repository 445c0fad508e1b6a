import { type ChatRequest, GatewayError, gatewayFault, isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import type { AttemptPorts } from '../../exchange/attempt.ts';
import { parseBody } from '../../exchange/write-request.ts';
import { decide } from '../../policy/decide.ts';
import type { Provider } from '../../presets/preset.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { fetchWhole } from '../../upstream/fetch-whole.ts';
import type { Operation } from './endpoints.ts';
import { respondJson, type Visit } from './handle.ts';
import { checkedModel, modelOf, type ScannedBody } from './read-call.ts';

type CountOperation = Extract<Operation, { kind: 'count-tokens' }>;

/** What a local count gives; `undefined`: it cannot be counted within the promised bounds (5 % low, 25 % high). */
export interface LocalCounter {
  count(request: ChatRequest, model: string): Promise<{ readonly tokens: number } | undefined>;
}

const COUNT_MS = 30_000;
const MAX_BYTES = 1024 * 1024;

function chosen(visit: Visit, model: string): { readonly provider: Provider; readonly model: string } {
  const { snapshot, key, path, client } = visit;
  const pinned = path.platform === undefined ? {} : { platform: path.platform };
  const decision = decide(snapshot, { model, protocol: client.id, operation: 'generate', key, ...pinned });
  const candidate = decision.candidates.find((one) => one.verdict === 'chosen');
  const provider = candidate && snapshot.providers.get(candidate.provider);
  if (!candidate || !provider) {
    const refusal = decision.refusal ?? { kind: 'not_found' as const, message: `Unknown model '${model}'` };
    throw new GatewayError(gatewayFault(refusal.kind, refusal.message, { code: 'model_not_found', param: 'model' }));
  }
  return { provider, model: candidate.model };
}

/** The provider's own count, where it has a counter in the client's protocol. */
async function askProvider(
  visit: Visit,
  provider: Provider,
  model: string,
  body: JsonObject,
  ports: AttemptPorts,
): Promise<JsonObject | undefined> {
  const wire = provider.wires.get(visit.client.id);
  const counter = wire?.wire.countTokens;
  if (!wire || !counter) return undefined;
  const bytes = [Buffer.from(JSON.stringify(visit.client.id === 'gemini' ? body : { ...body, model }))];
  const path = wire.basePath + counter(model);
  const { 'anthropic-version': version, 'anthropic-beta': beta } = visit.headers;
  const headers = {
    'content-type': 'application/json',
    ...wire.headers,
    ...(typeof version === 'string' ? { 'anthropic-version': version } : {}),
    ...(typeof beta === 'string' ? { 'anthropic-beta': beta } : {}),
  };
  const more = wire.sign
    ? await wire.sign(
        { method: 'POST', origin: wire.origin, path, headers, body: bytes },
        { now: () => ports.clock.now(), post: ports.post },
      )
    : {};
  const { connect, idle } = provider.timeouts;
  const answer = await fetchWhole(
    ports.send,
    {
      origin: wire.origin,
      method: 'POST',
      path,
      headers: { ...headers, ...more },
      body: bytes,
      timeouts: { connect, headers: COUNT_MS, idle },
    },
    MAX_BYTES,
    COUNT_MS,
  );
  if (answer.status !== 200) return undefined;
  return parseObject(answer.body.toString('utf8'));
}

/** A count in the words of the client's protocol. */
function inWords(visit: Visit, tokens: number): JsonObject {
  if (visit.client.id === 'gemini') return { totalTokens: tokens };
  if (visit.client.id === 'openai-responses') return { object: 'response.input_tokens', input_tokens: tokens };
  return { input_tokens: tokens };
}

/** A counting request read like a call: Gemini's may wrap one. */
function decoded(client: ClientCodec, body: JsonObject, model: string): ChatRequest {
  const inner = client.id === 'gemini' && isObject(body['generateContentRequest']) ? body['generateContentRequest'] : body;
  return client.decodeRequest({ ...inner, model, ...(client.id === 'gemini' ? { stream: false } : {}) });
}

/** Counts a request's tokens: the provider's own counter first, else a local count that is marked as one, else 501. Never a made-up 200. */
export function createCountTokensService(
  ports: AttemptPorts,
  counter: LocalCounter,
): (visit: Visit, operation: CountOperation, body: ScannedBody) => Promise<void> {
  return async (visit, operation, scanned) => {
    const asked = operation.model === undefined ? modelOf(scanned) : checkedModel(operation.model);
    const body = parseBody(scanned.body);
    const { provider, model } = chosen(visit, asked);
    const request = decoded(visit.client, body, model);
    const own = await askProvider(visit, provider, model, body, ports).catch(() => undefined);
    if (own) {
      respondJson(visit, 200, own, { 'x-pailou-count': 'provider' });
      return;
    }
    const local = await counter.count(request, model);
    if (!local) {
      throw new GatewayError(
        gatewayFault(
          'not_implemented',
          `The tokens of this request cannot be counted for '${asked}': its provider has no counter, and a local count would be a guess`,
          {
            code: 'count_not_available',
          },
        ),
      );
    }
    respondJson(visit, 200, inWords(visit, local.tokens), { 'x-pailou-count': 'local' });
  };
}
