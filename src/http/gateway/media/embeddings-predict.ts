import { badField, isObject, type Json, type JsonObject } from '../../../ir/index.ts';
import { checkCount, embed, writeEmbeddings } from '../../../exchange/media/embeddings.ts';
import { type MediaCall, type MediaContext, runMedia } from '../../../exchange/media/media-exchange.ts';
import type { EmbeddingInput, EmbeddingsCall } from '../../../media/embeddings/shape.ts';
import { GEMINI_TASKS } from '../../../media/embeddings/tasks.ts';
import { numbersOf } from '../../../media/embeddings/vectors.ts';
import { objectAt, optionalCount, optionalObject, optionalString, requiredString } from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { whileAlive } from '../stay-alive.ts';
import { type Fields, mediaCall } from './read-json.ts';

/*
 * Embeddings as Vertex AI has them, and Google's SDK when it is told to speak to it: `instances[].content` below `:predict`.
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
 */

/** Whether a body for `:predict` asks for vectors: images have prompts. */
export function asksForVectors({ instances }: JsonObject): boolean {
  const [first] = Array.isArray(instances) ? (instances as readonly Json[]) : [];
  return isObject(first) && first['content'] !== undefined && first['prompt'] === undefined;
}

function readInstance(value: Json, index: number, dimensions: number | undefined): EmbeddingInput {
  const at = `instances[${index}]`;
  const instance = objectAt(value, at);
  const text = requiredString(instance, 'content', at);
  if (text === '') throw badField(`${at}.content`, `Invalid request: '${at}.content' must not be empty`);
  const name = instance['taskType'] === undefined ? 'task_type' : 'taskType';
  const word = optionalString(instance, name, at);
  const task = word === undefined ? undefined : GEMINI_TASKS.get(word);
  if (word !== undefined && !task && word !== 'TASK_TYPE_UNSPECIFIED') {
    throw badField(`${at}.${name}`, `Invalid request: '${at}.${name}' must be one of ${[...GEMINI_TASKS.keys()].join(', ')}`);
  }
  const title = optionalString(instance, 'title', at);
  const wish = {
    ...(task ? { task } : {}),
    ...(title === undefined ? {} : { title }),
    ...(dimensions === undefined ? {} : { dimensions }),
  };
  return { at: `${at}.content`, content: { kind: 'text', text }, wish };
}

const KNOWN: ReadonlySet<string> = new Set(['outputDimensionality', 'autoTruncate']);

function read(body: JsonObject): EmbeddingsCall {
  const instances = body['instances'] as readonly Json[];
  checkCount(instances.length, 'instances');
  const parameters = optionalObject(body, 'parameters') ?? {};
  const dimensions = optionalCount(parameters, 'outputDimensionality', 'parameters');
  if (dimensions === 0) {
    throw badField('parameters.outputDimensionality', "Invalid request: 'parameters.outputDimensionality' must be at least 1");
  }
  return {
    inputs: instances.map((one, index) => readInstance(one, index, dimensions)),
    names: {
      inputs: 'instances',
      task: 'task_type',
      title: 'title',
      dimensions: 'parameters.outputDimensionality',
    },
    base64: false,
    unknown: Object.keys(parameters).filter((name) => !KNOWN.has(name)),
  };
}

/** Vectors for `:predict`; how many tokens each text had is known of them all together only. */
export function predictVectors(visit: Visit, operation: MediaOperation, body: Fields, ports: GatewayPorts): Promise<void> {
  const asked = read(body.fields);
  const call: MediaCall = {
    ...mediaCall(visit, { ...operation, ability: 'embeddings' }, body),
    write: (writing) => writeEmbeddings(writing, asked),
    isRepeatable: true,
    stream: false,
  };
  const work = async (context: MediaContext): Promise<void> => {
    const { vectors, usage } = await embed(context, asked);
    const count = vectors.length === 1 ? usage?.input : undefined;
    const statistics = { truncated: false, ...(count === undefined ? {} : { token_count: count }) };
    context.reply({ predictions: vectors.map((vector) => ({ embeddings: { values: numbersOf(vector), statistics } })) });
  };
  return whileAlive(visit, 'whole', ports, () => runMedia(call, visit.sink, ports, work));
}
