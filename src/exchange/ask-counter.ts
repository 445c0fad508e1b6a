import {
  badField,
  type ChatRequest,
  createNotes,
  type Fault,
  GatewayError,
  gatewayFault,
  isObject,
  type JsonObject,
  parseObject,
  type ProtocolId,
  type TargetFacts,
} from '../ir/index.ts';
import type { Provider, ProviderWire, Wire } from '../presets/preset.ts';
import { fetchWhole, type WholeAnswer } from '../upstream/fetch-whole.ts';
import type { ExchangePorts } from './exchange.ts';
import { inlineMedia, needsInlining } from './inline-media.ts';
import { faultOfAnswer } from './lanes/lane.ts';
import { holdsForeignSeal } from './write-request.ts';

/** A request to be counted, as the client sent it and as it was read. */
export interface Countable {
  readonly client: ProtocolId;
  readonly body: JsonObject;
  readonly request: ChatRequest;
  /** The client's own headers that a counter of its protocol understands. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client is gone. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left for it. */
  readonly leftMs: number;
  /** Also a counter that is to be left alone is asked: nobody else is left. */
  readonly anyway: boolean;
}

/** What a provider's counter said. */
export interface ProviderCount {
  readonly tokens: number;
  /** The whole answer, where the counter speaks the client's protocol. */
  readonly own?: JsonObject;
}

/** Why a provider's counter gave no number. */
export interface CounterFailure {
  readonly fault: Fault;
  /** It is the client's own request that was refused, in the client's own protocol: nobody else would count it either. */
  readonly isMistake: boolean;
}

/** A provider's counter was not asked: it has said that it is to be left alone for a while. */
export interface CounterWait {
  readonly waits: true;
}

const COUNT_MS = 15_000;
const MAX_BYTES = 1024 * 1024;

/** Members of a call that a vendor's counter takes: it refuses those that only a call has. */
const COUNTED: { readonly [P in ProtocolId]?: ReadonlySet<string> } = {
  'anthropic-messages': new Set(
    'model messages system tools tool_choice thinking output_config mcp_servers context_management cache_control anthropic_version'.split(
      ' ',
    ),
  ),
  'openai-responses': new Set('model input instructions tools tool_choice text reasoning parallel_tool_calls truncation'.split(' ')),
  gemini: new Set(['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig']),
  'bedrock-converse': new Set(['messages', 'system', 'toolConfig', 'additionalModelRequestFields']),
};

/** Where a counter's answer says the sum. */
const SUM: { readonly [P in ProtocolId]?: string } = {
  'anthropic-messages': 'input_tokens',
  'openai-responses': 'input_tokens',
  gemini: 'totalTokens',
  'bedrock-converse': 'inputTokens',
};

const only = (body: JsonObject, names: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(Object.entries(body).filter(([name]) => names.has(name)));

const without = (body: JsonObject, name: string): JsonObject => Object.fromEntries(Object.entries(body).filter(([key]) => key !== name));

/** Gemini's counter takes a bare call or a wrapped one; with a system instruction or tools the public API takes the wrapped one only, Vertex never. */
function geminiBody(body: JsonObject, model: string, wraps: boolean): JsonObject {
  const { model: _, generateContentRequest, ...bare } = body;
  const inner = isObject(generateContentRequest) ? generateContentRequest : bare;
  if (!wraps) return only(inner, COUNTED.gemini ?? new Set());
  const isPlain = generateContentRequest === undefined && Object.keys(inner).every((name) => name === 'contents');
  return isPlain ? inner : { generateContentRequest: { ...inner, model: `models/${model}` } };
}

/** Refuses a wrapped request that names another model than the path. */
export function checkWrappedModel(body: JsonObject, asked: string): void {
  const { generateContentRequest: wrapped } = body;
  const named = isObject(wrapped) ? wrapped['model'] : undefined;
  if (named === undefined || named === null) return;
  if (typeof named !== 'string' || named.replace(/^models\//, '') !== asked) {
    throw badField(
      'generateContentRequest.model',
      `Invalid request: the path names model '${asked.slice(0, 200)}', 'generateContentRequest.model' another`,
    );
  }
}

const withQuirks = (body: JsonObject, { quirks }: Wire, model: string): JsonObject => {
  const notes = createNotes();
  return (quirks ?? []).reduce((so, quirk) => quirk.apply(so, notes, model), body);
};

/** The client's own body, with the provider's name of the model. */
function ownBody({ client, body }: Countable, { wire }: ProviderWire, model: string): JsonObject {
  if (client === 'gemini') return geminiBody(body, model, wire.countWraps === true);
  const named = withQuirks({ ...body, model }, wire, model);
  // What the wire adds to every body it adds here too, but a count is never streamed.
  return wire.finish ? without({ ...wire.finish(named, model, false), model }, 'stream') : named;
}

const inlined = async ({ client, request, signal }: Countable, facts: TargetFacts, ports: ExchangePorts): Promise<ChatRequest> =>
  needsInlining(request, facts)
    ? inlineMedia(request, facts, client, ports.media, AbortSignal.any([signal, AbortSignal.timeout(COUNT_MS)]))
    : request;

/** The request with all media that URLs name brought along: their sizes are counted. */
export function withMedia(asked: Countable, facts: TargetFacts, ports: ExchangePorts): Promise<ChatRequest> {
  const media = { image: 'bytes', document: 'bytes', audio: 'bytes', video: 'bytes' } as const;
  return inlined(asked, { ...facts, media }, ports);
}

/** The request in the words of the counter's protocol. Throws `GatewayError` where it cannot be said there. */
async function translatedBody(
  asked: Countable,
  provider: Provider,
  wire: ProviderWire,
  model: string,
  ports: ExchangePorts,
): Promise<JsonObject | undefined> {
  const codec = ports.codecs.get(wire.protocol);
  const counted = COUNTED[wire.protocol];
  if (!codec || !counted) return undefined;
  const facts = wire.factsOf(model);
  const whole = await inlined(asked, facts, ports);
  const encoded = codec.encodeRequest({ ...whole, model, stream: false }, { model, facts, maker: provider.maker, notes: createNotes() });
  const body = withQuirks(encoded, wire.wire, model);
  const finished = wire.wire.finish ? wire.wire.finish(body, model, false) : body;
  if (wire.protocol === 'gemini') return geminiBody(only(finished, counted), model, wire.wire.countWraps === true);
  const taken = only({ ...finished, model }, counted);
  return wire.protocol === 'bedrock-converse' ? { input: { converse: taken } } : taken;
}

const write = async (isSame: boolean, ...[asked, provider, wire, model, ports]: Parameters<typeof translatedBody>) =>
  isSame ? ownBody(asked, wire, model) : translatedBody(asked, provider, wire, model, ports);

/** The counter's answer. Throws `GatewayError`: it did not come, or is none. */
async function send(
  provider: Provider,
  wire: ProviderWire,
  path: string,
  { headers, signal, leftMs }: Pick<Countable, 'headers' | 'signal' | 'leftMs'>,
  body: JsonObject,
  ports: ExchangePorts,
): Promise<WholeAnswer> {
  const bytes = [Buffer.from(JSON.stringify(body))];
  const all = { 'content-type': 'application/json', ...wire.headers, ...headers };
  const signing = { method: 'POST', origin: wire.origin, path, headers: all, body: bytes };
  const more = wire.sign ? await wire.sign(signing, { now: () => ports.clock.now(), post: ports.post }) : {};
  const { connect, headers: most, idle, total } = provider.timeouts;
  const request = { ...signing, headers: { ...all, ...more }, timeouts: { connect, headers: Math.min(COUNT_MS, most), idle } };
  return fetchWhole(ports.send, request, MAX_BYTES, Math.min(COUNT_MS, total, leftMs), signal);
}

/** Statuses of servers that have no such counter: no trouble, and no mistake. */
const HAS_NONE: ReadonlySet<number> = new Set([404, 405, 501]);

/** What an answer says; `undefined`: that there is no counter. Throws `GatewayError` for what is no count. */
function read(answer: WholeAnswer, provider: Provider, { protocol }: ProviderWire, ports: ExchangePorts): JsonObject | undefined {
  const { status, headers } = answer;
  const text = answer.body.toString('utf8');
  if (HAS_NONE.has(status)) return undefined;
  const codec = ports.codecs.get(protocol);
  if (codec && (status < 200 || status > 299)) {
    throw new GatewayError(faultOfAnswer({ target: { provider, codec }, now: () => ports.clock.now() }, status, headers, text));
  }
  const said = parseObject(text);
  if (typeof said?.[SUM[protocol] ?? ''] === 'number') return said;
  throw new GatewayError(
    gatewayFault('upstream', `Provider '${provider.name}' answered with something that is no count`, { code: 'upstream_malformed' }),
  );
}

/** The wires that have a counter for a model, the client's own first. */
function counters(provider: Provider, client: ProtocolId, model: string): readonly ProviderWire[] {
  const able = [...provider.wires.values()].filter(({ wire, serves }) => wire.countTokens !== undefined && serves(model));
  return able.toSorted((a, b) => Number(b.protocol === client) - Number(a.protocol === client));
}

/** The provider with the first of its credentials with which its counter may be asked now. */
function payingFor(provider: Provider, anyway: boolean, { trying }: ExchangePorts): Provider | undefined {
  const paid = provider.credentials?.map((one) => one.provider) ?? [provider];
  const first = paid.find((one) => !trying.counterWaits.isOut(one)) ?? (anyway ? provider : undefined);
  return first && { ...first, timeouts: provider.timeouts };
}

/** A refusal of what was sent, for what stood in it. */
const isRefusal = ({ by, kind }: Fault): boolean => by === 'upstream' && (kind === 'bad_request' || kind === 'too_large');

/**
 * The provider's own count: by the counter of the client's protocol, else of another that the provider speaks. `undefined`:
 * it has none, or cannot be asked in its words. `onSend`: it is asked.
 */
export async function askCounter(
  asked: Countable,
  provider: Provider,
  model: string,
  ports: ExchangePorts,
  onSend: () => void,
): Promise<ProviderCount | CounterFailure | CounterWait | undefined> {
  const paying = payingFor(provider, asked.anyway, ports);
  const [wire] = counters(paying ?? provider, asked.client, model);
  const below = wire?.wire.countTokens?.(model);
  if (!wire || below === undefined) return undefined;
  if (!paying) return { waits: true };
  // State that was sealed elsewhere goes to nobody but its maker: then the body is written anew.
  const isSame = wire.protocol === asked.client && !holdsForeignSeal(Buffer.from(JSON.stringify(asked.body)));
  // What cannot be said in the counter's words cannot be counted by it.
  const body = await write(isSame, asked, provider, wire, model, ports).catch(() => undefined);
  const more = { ...asked, headers: isSame ? asked.headers : {} };
  if (!body) return undefined;
  onSend();
  try {
    const answer = await send(paying, wire, wire.basePath + below, more, body, ports);
    const said = read(answer, provider, wire, ports);
    if (!said) return undefined;
    const tokens = Number(said[SUM[wire.protocol] ?? '']);
    return wire.protocol === asked.client ? { tokens, own: said } : { tokens };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    ports.trying.counterWaits.failed(paying, error.fault);
    // A body that was written here may be refused for how it was written.
    return { fault: error.fault, isMistake: isSame && isRefusal(error.fault) };
  }
}
