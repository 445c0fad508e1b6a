import type { IncomingMessage } from 'node:http';
import { badField, isObject, type Json, type JsonObject, missingField } from '../../../ir/index.ts';
import {
  type Asked,
  batchOf,
  checkCount,
  embed,
  isRelay,
  relayInParts,
  relayPath,
  writeEmbeddings,
} from '../../../exchange/media/embeddings.ts';
import type { MediaContext } from '../../../exchange/media/media-exchange.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import { answerMedia } from '../../../exchange/once/answer-media.ts';
import { askedIn } from '../../../exchange/once/request-key.ts';
import { relay } from '../../../exchange/media/relay.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import type { AttemptEnd } from '../../../exchange/call.ts';
import type { EmbeddingContent, EmbeddingInput, EmbeddingsCall, EmbeddingsReply, EmbeddingWish } from '../../../media/embeddings/shape.ts';
import { GEMINI_TASKS, SPOKEN_TASKS } from '../../../media/embeddings/tasks.ts';
import { base64Of, numbersOf } from '../../../media/embeddings/vectors.ts';
import { objectAt, optionalCount, optionalString, requiredObject, unknownMembers, wrongKind } from '../../../wire/fields.ts';
import { countElements } from '../../../wire/count-elements.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { checkNestedModel, modelOf, type ScannedBody } from '../read-call.ts';
import { whileAlive } from '../stay-alive.ts';
import { mediaCall, readScanned } from './read-json.ts';
import { readOnce } from './read-once.ts';

/** Members that are looked at without parsing the body. */
const WANTED: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user', 'input_type', 'task', 'requests']);

const KNOWN: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user', 'input_type', 'task']);

type Format = 'float' | 'base64';

const isToken = (value: Json): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0;

function contentAt(value: Json, at: string): EmbeddingContent {
  if (typeof value === 'string') {
    if (value === '') throw badField(at, `Invalid request: '${at}' must not be empty`);
    return { kind: 'text', text: value };
  }
  if (!Array.isArray(value)) throw wrongKind(at, 'a string or a list of tokens', value);
  if (value.length === 0) throw badField(at, `Invalid request: '${at}' must hold at least one token`);
  const wrong = value.findIndex((one: Json) => !isToken(one));
  if (wrong >= 0) throw badField(`${at}[${wrong}]`, `Invalid request: '${at}[${wrong}]' must be a token, an integer that is not negative`);
  return { kind: 'tokens', tokens: value as readonly number[] };
}

/** OpenAI's `input`: one text, one list of tokens, or a list of either. */
function inputsOf(input: Json | undefined): readonly { readonly content: EmbeddingContent; readonly at: string }[] {
  if (input === undefined || input === null) throw missingField('input');
  if (!Array.isArray(input)) {
    if (typeof input !== 'string')
      throw wrongKind('input', 'a string, a list of strings, a list of tokens, or a list of such lists', input);
    return [{ content: contentAt(input, 'input'), at: 'input' }];
  }
  if (input.length === 0) throw badField('input', "Invalid request: 'input' must hold at least one text");
  if (typeof input[0] === 'number') return [{ content: contentAt(input, 'input'), at: 'input' }];
  checkCount(input.length, 'input');
  return input.map((one: Json, index) => ({ content: contentAt(one, `input[${index}]`), at: `input[${index}]` }));
}

function positive(body: JsonObject, name: string, at = ''): number | undefined {
  const count = optionalCount(body, name, at);
  const param = at === '' ? name : `${at}.${name}`;
  if (count === 0) throw badField(param, `Invalid request: '${param}' must be at least 1`);
  return count;
}

/** What vendors' members say of the use, in any vendor's word; a word that nobody has is passed over. */
function spokenTask(body: JsonObject): EmbeddingWish {
  for (const name of ['input_type', 'task']) {
    const word = body[name];
    const task = typeof word === 'string' ? SPOKEN_TASKS.get(word) : undefined;
    if (task) return { task };
  }
  return {};
}

function formatOf(body: JsonObject): Format {
  const format = optionalString(body, 'encoding_format') ?? 'float';
  if (format !== 'float' && format !== 'base64')
    throw badField('encoding_format', "Invalid request: 'encoding_format' must be 'float' or 'base64' for this model");
  return format;
}

/** Reads OpenAI's request. https://platform.openai.com/docs/api-reference/embeddings/create */
function readOpenai(body: JsonObject): { readonly call: EmbeddingsCall; readonly format: Format } {
  const dimensions = positive(body, 'dimensions');
  const user = optionalString(body, 'user');
  const format = formatOf(body);
  const wish: EmbeddingWish = { ...spokenTask(body), ...(dimensions === undefined ? {} : { dimensions }) };
  return {
    format,
    call: {
      inputs: inputsOf(body['input']).map((one) => ({ ...one, wish })),
      names: { inputs: 'input', task: 'input_type', title: 'title', dimensions: 'dimensions' },
      base64: format === 'base64',
      rest: unknownMembers(body, KNOWN),
      ...(user === undefined ? {} : { user }),
    },
  };
}

/** Google's JSON has both spellings of every member. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ['task_type', 'taskType'],
  ['output_dimensionality', 'outputDimensionality'],
];

const KNOWN_OF_GEMINI: ReadonlySet<string> = new Set([...SPELLINGS.flat(), 'model', 'content', 'title', 'embedContentConfig', 'requests']);

const unknownOf = (request: Json): readonly string[] =>
  isObject(request) ? Object.keys(unknownMembers(spelled(request), KNOWN_OF_GEMINI)) : [];

function spelled(request: JsonObject): JsonObject {
  const config = isObject(request['embedContentConfig']) ? request['embedContentConfig'] : {};
  const all: Record<string, Json> = { ...config, ...request } as Record<string, Json>;
  for (const [snake, camel] of SPELLINGS) {
    const value = all[snake];
    if (value !== undefined && all[camel] === undefined) all[camel] = value;
  }
  return all;
}

function partsAt(content: JsonObject, at: string): EmbeddingContent {
  const parts = content['parts'];
  if (!Array.isArray(parts) || parts.length === 0)
    throw badField(`${at}.parts`, `Invalid request: '${at}.parts' must hold at least one part`);
  const read = parts.map((part: Json, index) => objectAt(part, `${at}.parts[${index}]`));
  const texts = read.map((part) => part['text']);
  if (!texts.every((text) => typeof text === 'string')) return { kind: 'parts', parts: read };
  const text = texts.join('\n');
  if (text === '') throw badField(`${at}.parts`, `Invalid request: '${at}.parts' must hold a text that is not empty`);
  return { kind: 'text', text };
}

function readContent(request: JsonObject, at: string, model: string): EmbeddingInput {
  const all = spelled(request);
  const path = (name: string): string => (at === '' ? name : `${at}.${name}`);
  const named = optionalString(all, 'model', at);
  if (named !== undefined && named.replace(/^models\//, '') !== model)
    throw badField(path('model'), `Invalid request: the path names model '${model}', '${path('model')}' another`);
  const word = optionalString(all, 'taskType', at) ?? 'TASK_TYPE_UNSPECIFIED';
  const task = GEMINI_TASKS.get(word);
  if (!task && word !== 'TASK_TYPE_UNSPECIFIED')
    throw badField(path('taskType'), `Invalid request: '${path('taskType')}' must be one of ${[...GEMINI_TASKS.keys()].join(', ')}`);
  const title = optionalString(all, 'title', at);
  const dimensions = positive(all, 'outputDimensionality', at);
  return {
    at: path('content'),
    content: partsAt(requiredObject(all, 'content', at), path('content')),
    wish: {
      ...(task ? { task } : {}),
      ...(title === undefined ? {} : { title }),
      ...(dimensions === undefined ? {} : { dimensions }),
    },
  };
}

/** Reads Gemini's requests. https://ai.google.dev/api/embeddings */
function readGemini(body: JsonObject, verb: string, model: string): EmbeddingsCall {
  const names = { inputs: 'requests', task: 'taskType', title: 'title', dimensions: 'outputDimensionality' };
  if (verb === 'embedContent') return { inputs: [readContent(body, '', model)], names, base64: false, unknown: unknownOf(body) };
  const { requests } = body;
  if (requests === undefined || requests === null) throw missingField('requests');
  if (!Array.isArray(requests)) throw wrongKind('requests', 'an array', requests);
  if (requests.length === 0) throw badField('requests', "Invalid request: 'requests' must hold at least one request");
  checkCount(requests.length, 'requests');
  return {
    names,
    base64: false,
    unknown: [...new Set(requests.flatMap((one: Json) => unknownOf(one)))],
    inputs: requests.map((one: Json, index) => readContent(objectAt(one, `requests[${index}]`), `requests[${index}]`, model)),
  };
}

function writeOpenai(reply: EmbeddingsReply, format: Format, model: string): JsonObject {
  const tokens = reply.usage?.input ?? 0;
  return {
    object: 'list',
    data: reply.vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: format === 'base64' ? base64Of(vector) : numbersOf(vector),
    })),
    model: reply.model ?? model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function writeGemini(reply: EmbeddingsReply, verb: string): JsonObject {
  const embeddings = reply.vectors.map((vector) => ({ values: numbersOf(vector) }));
  const usage = reply.usage ? { usageMetadata: { promptTokenCount: reply.usage.input } } : {};
  return verb === 'embedContent' ? { embedding: embeddings[0] ?? null, ...usage } : { embeddings, ...usage };
}

/** The inputs of a body that is not parsed, up to `most`; 0 where they must be read to say what is wrong. */
function countOf({ body, scan }: ScannedBody, asked: Asked, most: number): number {
  if (asked.verb === 'embedContent') return 1;
  const span = scan.values.get(asked.dialect === 'openai' ? 'input' : 'requests');
  if (!span) return 0;
  if (body[span.from] === 0x22) return span.to - span.from > 2 ? 1 : 0;
  return countElements(body, span, most);
}

async function translated(context: MediaContext, body: JsonObject, { shape, verb = '' }: MediaOperation): Promise<void> {
  if (shape === 'gemini') {
    const reply = await embed(context, readGemini(body, verb, context.call.model));
    return context.reply(writeGemini(reply, verb));
  }
  const { call, format } = readOpenai(body);
  const reply = await embed(context, call);
  return context.reply(writeOpenai(reply, format, context.model));
}

/** Writes a call for targets as `translated` would ask it; what passes as it is loses nothing. */
function writerFor(told: () => JsonObject, asked: Asked, model: string): (writing: Writing) => void {
  const read = readOnce(() => (asked.dialect === 'gemini' ? readGemini(told(), asked.verb, model) : readOpenai(told()).call));
  return (writing) => {
    if (!isRelay(writing.media, asked)) writeEmbeddings(writing, read());
  };
}

/** Small members only: a text that is longer is none that a wire has a word for. */
const MAX_MEMBER_BYTES = 256;

function askedOf(scanned: ScannedBody, { shape, verb = '' }: MediaOperation): Asked {
  const { body, scan } = scanned;
  return {
    dialect: shape === 'gemini' ? 'gemini' : 'openai',
    verb,
    members: {
      text(name) {
        const span = scan.values.get(name);
        if (!span) return undefined;
        const text = body.toString('utf8', span.from, Math.min(span.to, span.from + MAX_MEMBER_BYTES));
        return text === 'null' ? undefined : text;
      },
    },
  };
}

/**
 * POST /v1/embeddings, `:embedContent` and `:batchEmbedContents`. To a provider that speaks the client's dialect and takes
 * so many inputs, the bytes pass; too many of them go in parts, all else is translated.
 */
export async function embeddingsEndpoint(
  visit: Visit,
  operation: MediaOperation,
  request: IncomingMessage,
  ports: GatewayPorts,
): Promise<void> {
  const scanned = await readScanned(visit, request, WANTED);
  const asked = askedOf(scanned, operation);
  const model = operation.model ?? modelOf(scanned);
  if (operation.model !== undefined) checkNestedModel(scanned, model);
  const told = readOnce(() => parseBody(scanned.body));
  const prefers = (media: Parameters<typeof isRelay>[0]): boolean => isRelay(media, asked);
  const call = {
    ...mediaCall(visit, operation, { ...scanned, fields: { model }, bytes: scanned.body.length }, told),
    prefers,
    write: writerFor(told, asked, model),
    isRepeatable: true,
    stream: false,
  };
  const work = async (context: MediaContext): Promise<AttemptEnd | undefined> => {
    const batch = batchOf(context);
    const count = isRelay(context.media, asked) ? countOf(scanned, asked, batch) : 0;
    if (count > 0 && count <= batch) return relay(context, { ...scanned, path: relayPath(context, asked.verb) });
    const body = parseBody(scanned.body);
    if (count > 0) context.reply(await relayInParts(context, body, asked));
    else await translated(context, body, operation);
    return undefined;
  };
  const once = (): Promise<unknown> =>
    onlyOnce(visit, ports, {
      fingerprint: () => fingerprintOf(visit, [scanned.body, JSON.stringify(scanned.routing ?? null)]),
      about: { operation: operation.ability, asked: model },
      work: (within) =>
        answerMedia(call, within.sink, ports, { meaning: () => [operation.shape, asked.verb, askedIn(parseBody(scanned.body))], work }),
    });
  await whileAlive(visit, 'whole', ports, once);
}
