import { isObject, type JsonObject, parseObject } from '../../src/ir/index.ts';
import type { Recording } from './recordings.ts';

const number = (value: unknown): number | undefined => (typeof value === 'number' && value > 0 ? value : undefined);

/** The objects of a reply: its body, the elements of a list, or the data of its events. */
function* objects({ response }: Recording): Iterable<JsonObject> {
  if (response.sse) {
    for (const line of response.sse.join('').split(/\r?\n/)) {
      const event = line.startsWith('data:') ? parseObject(line.slice(5)) : undefined;
      if (event) yield event;
    }
    return;
  }
  const body: unknown = response.body ?? (response.bodyText === undefined ? undefined : parseObject(response.bodyText));
  for (const one of Array.isArray(body) ? body : [body]) if (isObject(one)) yield one;
}

const inside = (value: JsonObject, name: string): JsonObject | undefined => (isObject(value[name]) ? value[name] : undefined);

/** Input tokens that one object of a reply reports. */
function reported(one: JsonObject, recording: Recording): number | undefined {
  if (recording.endpoint === 'countTokens') return number(one['totalTokens']);
  if (recording.endpoint === 'count_tokens' || recording.endpoint === 'responses.input_tokens') return number(one['input_tokens']);
  if (recording.protocol === 'gemini-generate') return number(inside(one, 'usageMetadata')?.['promptTokenCount']);
  const usage = inside(inside(one, 'message') ?? inside(one, 'response') ?? one, 'usage');
  if (!usage) return undefined;
  if (recording.protocol === 'openai-chat') return number(usage['prompt_tokens']);
  if (recording.protocol === 'openai-responses') return number(usage['input_tokens']);
  const { input_tokens: fresh, cache_creation_input_tokens: written, cache_read_input_tokens: read } = usage;
  return number([fresh, written, read].reduce<number>((sum, part) => sum + (number(part) ?? 0), 0));
}

/** Input tokens as the provider reported them; Anthropic's first report, for later ones hold what its tools found. */
export function recordedInput(recording: Recording): number | undefined {
  let last: number | undefined;
  for (const one of objects(recording)) {
    const found = reported(one, recording);
    if (found !== undefined && recording.protocol === 'anthropic-messages') return found;
    last = found ?? last;
  }
  return last;
}

/** The model that a reply says it is of. */
export function answeredBy(recording: Recording): string | undefined {
  for (const one of objects(recording)) {
    const { model } = inside(one, 'message') ?? inside(one, 'response') ?? one;
    if (typeof model === 'string' && model !== '') return model;
  }
  return undefined;
}
