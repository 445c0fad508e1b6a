import {
  badField,
  type ChatRequest,
  createNotes,
  type Fault,
  GatewayError,
  gatewayFault,
  isObject,
  type JsonObject,
  missingField,
  parseObject,
} from '../ir/index.ts';
import type { ClientCodec, ReplyContext } from '../protocols/protocol.ts';
import { answerSteps, type Answering, failedSteps, faultSteps, jsonSteps } from './answer-steps.ts';
import { bareModel, type Behaviour, behaviourOf } from './behaviour.ts';
import { perform, type WireWays } from './chat-model.ts';
import { countRequest } from './count-tokens.ts';
import { embeddingsReply, geminiEmbeddingsReply } from './embeddings.ts';
import type { MediaCall, MediaDesk } from './media/index.ts';
import { listedModel, listModels } from './list-models.ts';
import { rerankReply } from './rerank.ts';
import { play, type SandboxCall, type SandboxSink, type SetTimer, type Step } from './play.ts';
import { sandboxModels } from './sandbox-models.ts';
import { type Operation, operationOf, type ServedProtocol, WIRES } from './wires.ts';

export { sandboxModels } from './sandbox-models.ts';

/** A request as it would go over a network. */
export interface SandboxRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The provider in the box: takes HTTP-like requests, answers with the bytes of a real wire, in its time. */
export interface SandboxUpstream {
  handle(request: SandboxRequest, sink: SandboxSink): SandboxCall;
}

/** What the sandbox stands on. */
export interface SandboxPorts {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
  readonly setTimer: SetTimer;
  /** The client halves of the protocols that it serves: it is itself a server. */
  readonly codecs: ReadonlyMap<string, ClientCodec>;
}

/** What pictures, sounds and films are made with comes when the first is asked for. */
interface Lazy {
  readonly desk: () => Promise<MediaDesk>;
}

type Generate = Extract<Operation, { kind: 'generate' }>;

/** The 404 that lists what there is. */
function unknownModel(model: string): GatewayError {
  const names = sandboxModels.map((one) => bareModel(one.id)).join(', ');
  return new GatewayError(
    gatewayFault('not_found', `The sandbox has no model '${model.slice(0, 200)}'. It has: ${names}`, {
      code: 'model_not_found',
      param: 'model',
      by: 'upstream',
    }),
  );
}

function behaviourFor(model: unknown): Behaviour {
  if (model === undefined || model === null || model === '') throw missingField('model');
  if (typeof model !== 'string') throw badField('model', "Invalid request: 'model' must be a string");
  const behaviour = behaviourOf(model);
  if (!behaviour) throw unknownModel(model);
  return behaviour;
}

function bodyOf(request: SandboxRequest): JsonObject {
  const body = parseObject(request.body.toString('utf8'));
  if (!body)
    throw new GatewayError(
      gatewayFault('bad_request', 'Invalid request: the body is not a JSON object', { code: 'invalid_json', by: 'upstream' }),
    );
  return body;
}

/** The body with what the path says, as the codec reads it. */
function namedBody(request: SandboxRequest, operation: { readonly model?: string; readonly stream?: boolean }): JsonObject {
  const { model, stream } = operation;
  return { ...bodyOf(request), ...(model === undefined ? {} : { model }), ...(stream === undefined ? {} : { stream }) };
}

function codecFor(ports: SandboxPorts, protocol: ServedProtocol): ClientCodec {
  const codec = ports.codecs.get(protocol);
  if (!codec) throw new Error(`The sandbox was given no codec for ${protocol}`);
  return codec;
}

/** Voices that have nothing to say in a conversation. */
const MUTE: { readonly [V in Behaviour['voice']]?: string } = { embed: 'embeddings', video: 'videos' };

/** Whether a conversation is answered with more than text, or listened to. */
const isMediaChat = (request: ChatRequest, { voice }: Behaviour): boolean =>
  voice === 'image' || voice === 'speech' || voice === 'transcribe' || (voice === 'chat' && request.modalities?.includes('audio') === true);

function generate(request: SandboxRequest, operation: Generate, requestId: string, ports: SandboxPorts): Iterable<Step> {
  const codec = codecFor(ports, operation.protocol);
  const body = namedBody(request, operation);
  const behaviour = behaviourFor(body['model']);
  const silent = MUTE[behaviour.voice];
  if (silent !== undefined && !behaviour.trouble)
    throw badField('model', `The model '${behaviour.voice}' makes ${silent}, and does not chat`);
  if (behaviour.voice === 'rerank') throw badField('model', "The model 'rerank' puts documents in order, it makes no text");
  const wanted = codec.decodeRequest(body);
  const traits = WIRES[operation.protocol];
  const ways: WireWays = {
    protocol: operation.protocol,
    sealOn: traits.sealOn,
    sealForm: traits.sealForm,
    replyId: ports.newId(traits.replyPrefix),
    newCallId: () => ports.newId(traits.callPrefix),
    now: Math.floor(ports.now() / 1000),
  };
  const context: ReplyContext = { request: wanted, body, newId: ports.newId, now: () => ways.now, notes: createNotes() };
  const form = !wanted.stream ? 'whole' : operation.array === true ? 'array' : 'sse';
  const answering: Answering = { codec, context, requestId, form, lineEnd: traits.lineEnd };
  if (!isMediaChat(wanted, behaviour)) return answerSteps(perform(wanted, behaviour, ways), answering);
  return later(codec, requestId, async () => {
    const { performMedia } = await import('./media/chat-media.ts');
    return answerSteps(performMedia(wanted, behaviour, ways), answering);
  });
}

/** What is still being made, or the error that came of it. */
function later(codec: ClientCodec, requestId: string, make: () => Promise<Iterable<Step>>): readonly Step[] {
  return [{ do: 'later', steps: () => make().catch((error: unknown) => faultSteps(codec, faultOf(error), requestId)) }];
}

/** What each protocol calls a count. */
function countReply(protocol: ServedProtocol, tokens: number): JsonObject {
  if (protocol === 'gemini') return { totalTokens: tokens, promptTokensDetails: [{ modality: 'TEXT', tokenCount: tokens }] };
  return protocol === 'openai-responses' ? { object: 'response.input_tokens', input_tokens: tokens } : { input_tokens: tokens };
}

function count(
  request: SandboxRequest,
  operation: Extract<Operation, { kind: 'count' }>,
  requestId: string,
  ports: SandboxPorts,
): Iterable<Step> {
  const codec = codecFor(ports, operation.protocol);
  const body = namedBody(request, operation);
  // Gemini takes a whole request in a field of its own; Anthropic's counter takes no maximum, its codec asks for one.
  const inner = isObject(body['generateContentRequest']) ? { ...body['generateContentRequest'], model: body['model'] } : body;
  const { trouble } = behaviourFor(body['model']);
  const wanted = codec.decodeRequest({ max_tokens: 1, ...inner, stream: false });
  const failed = trouble && failedSteps(trouble, failing(codec, requestId, body, ports));
  return failed ?? jsonSteps(200, countReply(operation.protocol, countRequest(wanted)), requestId);
}

/** Enough of a context to write failures with. */
function failing(codec: ClientCodec, requestId: string, body: JsonObject, ports: SandboxPorts): Answering {
  const request = { model: '', instructions: [], turns: [], tools: [], stream: false };
  const context: ReplyContext = { request, body, newId: ports.newId, now: () => 0, notes: createNotes() };
  return { codec, context, requestId, form: 'whole', lineEnd: '\n' };
}

function embed(
  request: SandboxRequest,
  operation: Extract<Operation, { kind: 'embed' }>,
  requestId: string,
  ports: SandboxPorts,
): Iterable<Step> {
  const { protocol, verb } = operation;
  const codec = codecFor(ports, protocol);
  const body = namedBody(request, operation);
  const { voice, trouble } = behaviourFor(body['model']);
  const failed = failedSteps(trouble, failing(codec, requestId, body, ports));
  if (failed) return failed;
  if (voice !== 'embed') throw badField('model', `The model '${String(body['model'])}' makes no embeddings; 'embed' does`);
  return jsonSteps(200, verb === undefined ? embeddingsReply(body) : geminiEmbeddingsReply(body, verb), requestId);
}

function rerank(request: SandboxRequest, requestId: string, ports: SandboxPorts): Iterable<Step> {
  const codec = codecFor(ports, 'openai-chat');
  const body = bodyOf(request);
  const { voice, trouble } = behaviourFor(body['model']);
  const failed = failedSteps(trouble, failing(codec, requestId, body, ports));
  if (failed) return failed;
  if (voice !== 'rerank') throw badField('model', `The model '${String(body['model'])}' reranks nothing; 'rerank' does`);
  return jsonSteps(200, rerankReply(body), requestId);
}

function mediaCall({ path, headers, body }: SandboxRequest, requestId: string, ports: SandboxPorts): MediaCall {
  return { path, headers, body, requestId, newId: ports.newId, nowMs: ports.now(), codec: codecFor(ports, 'openai-chat'), unknownModel };
}

function models({ shape, id }: Extract<Operation, { kind: 'models' }>, requestId: string): Iterable<Step> {
  if (id === undefined) return jsonSteps(200, listModels(shape), requestId);
  const found = listedModel(shape, id);
  if (!found) throw unknownModel(id);
  return jsonSteps(200, found, requestId);
}

function stepsOf(request: SandboxRequest, operation: Operation, requestId: string, ports: SandboxPorts, { desk }: Lazy): Iterable<Step> {
  switch (operation.kind) {
    case 'generate':
      return generate(request, operation, requestId, ports);
    case 'count':
      return count(request, operation, requestId, ports);
    case 'embed':
      return embed(request, operation, requestId, ports);
    case 'rerank':
      return rerank(request, requestId, ports);
    case 'media': {
      const call = mediaCall(request, requestId, ports);
      return later(call.codec, requestId, async () => (await desk()).media(call, operation));
    }
    case 'video': {
      const call = mediaCall(request, requestId, ports);
      return later(call.codec, requestId, async () => (await desk()).video(call, operation));
    }
    case 'models':
      return models(operation, requestId);
    case 'method':
      throw new GatewayError({
        ...gatewayFault('bad_request', `${request.method} is not taken here; ${operation.allow} is`, {
          by: 'upstream',
          code: 'method_not_allowed',
        }),
        status: 405,
      });
    case 'unknown':
      throw new GatewayError(gatewayFault('not_found', `The sandbox has nothing at ${request.path.slice(0, 200)}`, { by: 'upstream' }));
  }
}

const protocolOf = (operation: Operation): ServedProtocol =>
  'protocol' in operation ? operation.protocol : operation.kind === 'models' ? operation.shape : 'openai-chat';

const faultOf = (error: unknown): Fault =>
  error instanceof GatewayError
    ? error.fault
    : gatewayFault('internal', 'The sandbox has a defect', { code: 'sandbox_defect', by: 'upstream' });

/** Makes the provider in the box. Between requests it keeps nothing but which videos were made last, and which deleted. */
export function createSandbox(ports: SandboxPorts): SandboxUpstream {
  let made: Promise<MediaDesk> | undefined;
  const desk = (): Promise<MediaDesk> => (made ??= import('./media/index.ts').then(({ createMediaDesk }) => createMediaDesk()));
  const answer = (request: SandboxRequest): Iterable<Step> => {
    const operation = operationOf(request.method, request.path, request.headers);
    const requestId = ports.newId('req_');
    try {
      return stepsOf(request, operation, requestId, ports, { desk });
    } catch (error) {
      return faultSteps(codecFor(ports, protocolOf(operation)), faultOf(error), requestId);
    }
  };
  return {
    handle: (request, sink) => play(answer(request), sink, ports.setTimer),
  };
}
