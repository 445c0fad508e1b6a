// Recorded traffic behind the AI SDK: as `sdk.ts`, with each of its packages. They look at every member of an answer, and
// throw for one that their vendor would not send. Arguments: part of an id; --all: every failure of a recording.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError } from 'ai';
import type { ProtocolId, StopReason } from '../../src/ir/index.ts';
import type { ReplyEssence } from './essence.ts';
import { expectedReply } from './expressible.ts';
import { type Address, type Reader, type Reading, readRecordings, toldStatus, withoutImages } from './sdk-replay.ts';

type Model = ReturnType<ReturnType<typeof createAnthropic>>;
type Whole = Awaited<ReturnType<Model['doGenerate']>>;
type Content = Whole['content'][number];

/** What a package made of an answer. */
interface Made {
  readonly text: string;
  readonly calls: readonly string[];
  readonly finish: Whole['finishReason']['unified'];
  readonly usage: Whole['usage'];
}

const PROMPT: Parameters<Model['doGenerate']>[0]['prompt'] = [{ role: 'user', content: [{ type: 'text', text: 'x' }] }];

/** A call as the essence of a reply tells it: without the namespace, the arguments' members in order. */
function callLine(called: string, input: string): string {
  const name = called.replace(/^.+?__(?=[a-z])/, '');
  const sorted = (_key: string, value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  try {
    return `${name} ${JSON.stringify(JSON.parse(input === '' ? '{}' : input), sorted)}`;
  } catch {
    return `${name} ${input}`;
  }
}

const callsOf = (content: readonly Content[]): readonly string[] =>
  content.flatMap((part) => (part.type === 'tool-call' && !part.providerExecuted ? [callLine(part.toolName, part.input)] : []));

async function makeWhole(model: Model): Promise<Made> {
  const { content, finishReason, usage } = await model.doGenerate({ prompt: PROMPT });
  const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return { text, calls: callsOf(content), finish: finishReason.unified, usage };
}

async function makeStreamed(model: Model): Promise<Made> {
  const { stream } = await model.doStream({ prompt: PROMPT });
  let text = '';
  const content: Content[] = [];
  let end: Pick<Made, 'finish' | 'usage'> | undefined;
  for await (const part of stream) {
    if (part.type === 'error') throw part.error instanceof Error ? part.error : new Error(JSON.stringify(part.error));
    if (part.type === 'text-delta') text += part.delta;
    if (part.type === 'tool-call') content.push(part);
    if (part.type === 'finish') end = { finish: part.finishReason.unified, usage: part.usage };
  }
  if (!end) throw new Error('the stream did not finish');
  return { text, calls: callsOf(content), ...end };
}

/** The AI SDK's words for why an answer ended. */
const FINISHES: Readonly<Record<StopReason, readonly Made['finish'][]>> = {
  stop: ['stop'],
  'stop-sequence': ['stop'],
  length: ['length'],
  'tool-calls': ['tool-calls'],
  'content-filter': ['content-filter'],
  refusal: ['content-filter'],
  pause: ['stop'],
  'context-exceeded': ['length'],
  'malformed-tool-call': ['error', 'other', 'stop'],
  other: ['other', 'stop'],
};

/** What a package has no word for, and refuses an answer for: images in Messages, sounds in Responses, calls with free text, several answers. */
function isBeyond(protocol: ProtocolId, { media, calls, others }: ReplyEssence): boolean {
  const isFree = calls.some((line) => /^\S+ \{"input":"[^"]*"\}$/.test(line));
  const isUnknown = protocol === 'anthropic-messages' ? /^(image|media) / : /^audio /;
  return isFree || (protocol === 'gemini' && others.length > 0) || media.some((line) => isUnknown.test(line));
}

function* differences(wanted: ReplyEssence, made: Made): Iterable<string> {
  const short = (value: unknown): string => JSON.stringify(value).slice(0, 200);
  // It has one place for what is said and what is refused.
  const texts = [wanted.text, wanted.text + wanted.refusal, wanted.refusal + wanted.text].map(withoutImages);
  if (!texts.includes(withoutImages(made.text))) yield `text: ${short(wanted.text)} became ${short(made.text)}`;
  const calls = wanted.calls.map((line) => callLine(line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)));
  if (short(made.calls) !== short(calls)) yield `calls: ${short(calls)} became ${short(made.calls)}`;
  const isRefused = wanted.refusal !== '' && made.finish === 'content-filter';
  if (!isRefused && !FINISHES[wanted.stop].includes(made.finish)) yield `${wanted.stop} became ${made.finish}`;
  for (const kind of ['input', 'output'] as const) {
    const told = made.usage[`${kind}Tokens`].total;
    if (wanted.usage[kind] !== undefined && told !== wanted.usage[kind]) yield `${kind} tokens: ${wanted.usage[kind]} became ${told}`;
  }
}

/** What is wrong with an exception for a recorded error. */
function wrongError(error: unknown, status: number): readonly string[] {
  if (!APICallError.isInstance(error)) return [`${status} raised ${String(error)}`];
  const isRetryable = status === 408 || status === 409 || status === 429 || status >= 500;
  if (error.statusCode !== status) return [`status ${error.statusCode}, not ${status}`];
  return error.isRetryable === isRetryable ? [] : [`may be tried again: ${String(error.isRetryable)}`];
}

async function problemsOf(
  model: Model,
  protocol: ProtocolId,
  { recording, codec, meaning, streamed }: Reading,
): Promise<readonly string[]> {
  if (!('kind' in meaning) && isBeyond(protocol, meaning)) return [];
  try {
    const made = await (streamed ? makeStreamed(model) : makeWhole(model));
    if ('kind' in meaning) return ['an error was read as a reply'];
    return [...differences(expectedReply(protocol, codec.id, meaning), made)];
  } catch (error) {
    if (!('kind' in meaning)) return [`raised ${String(error).slice(0, 300)}`];
    return recording.response.status < 300 ? [] : wrongError(error, toldStatus(protocol, meaning));
  }
}

function readersAt({ url, key: apiKey }: Address): readonly Reader[] {
  const v1 = { baseURL: `${url}/v1`, apiKey };
  const openai = createOpenAI(v1);
  const compatible = createOpenAICompatible({ ...v1, name: 'pailou', includeUsage: true });
  const packages: readonly { readonly name: string; readonly protocol: ProtocolId; readonly model: (id: string) => Model }[] = [
    { name: '@ai-sdk/openai, chat', protocol: 'openai-chat', model: (id) => openai.chat(id) },
    { name: '@ai-sdk/openai, responses', protocol: 'openai-responses', model: (id) => openai.responses(id) },
    { name: '@ai-sdk/anthropic', protocol: 'anthropic-messages', model: createAnthropic(v1) },
    { name: '@ai-sdk/google', protocol: 'gemini', model: createGoogle({ baseURL: `${url}/v1beta`, apiKey }) },
    { name: '@ai-sdk/openai-compatible', protocol: 'openai-chat', model: (id) => compatible(id) },
  ];
  return packages.map(({ name, protocol, model }) => ({
    name,
    protocol,
    problems: (reading, id) => problemsOf(model(id), protocol, reading),
  }));
}

process.exitCode = await readRecordings({ name: 'the AI SDK on the corpus', bothForms: false, readersAt });
