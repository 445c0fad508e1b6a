import { badField, createNotes, isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import type { ProviderMedia } from '../../presets/preset.ts';
import { jsonBody, type MediaTarget } from '../../media/codec.ts';
import { embeddingsCodecs } from '../../media/embeddings/index.ts';
import type {
  BodyMembers,
  EmbeddingContent,
  EmbeddingInput,
  EmbeddingsCall,
  EmbeddingsCodec,
  EmbeddingsReply,
  EmbeddingsRequest,
  EmbeddingWish,
} from '../../media/embeddings/shape.ts';
import { renameNested } from '../write-request.ts';
import type { MediaContext } from './media-exchange.ts';
import { sideBySide } from './side-by-side.ts';
import { codecOf, understood } from './whole.ts';
import type { Writing } from './writing.ts';

/** Inputs of one call: their vectors are held until the last one has come. */
const MAX_INPUTS = 4096;

/** The refusal of more inputs than one call may hold. */
export function checkCount(count: number, field: string): void {
  if (count > MAX_INPUTS) throw badField(field, `Invalid request: '${field}' holds ${count} inputs, at most ${MAX_INPUTS} are taken`);
}

/** What is asked of a wire whose clients' bytes might pass. */
export interface Asked {
  readonly dialect: 'openai' | 'gemini';
  readonly verb: string;
  readonly members: BodyMembers;
}

/** Whether a wire takes the client's body as it is, but for the number of inputs. */
export function isRelay({ wire }: ProviderMedia, { dialect, verb, members }: Asked): boolean {
  const relay = embeddingsCodecs.get(wire.codec)?.relay;
  return relay !== undefined && relay.dialect === dialect && relay.takes(wire.options ?? {}, members, verb);
}

/** Inputs that the target takes in one request. */
export const batchOf = (context: MediaContext): number => context.media.wire.batch ?? codecOf(embeddingsCodecs, context).batch;

/** Where the client's bytes go below the wire's base. */
export function relayPath(context: MediaContext, verb: string): string {
  const { relay } = codecOf(embeddingsCodecs, context);
  if (!relay) throw new Error('no relay');
  return relay.path(context.target, verb);
}

/** Numbers of two usage reports together. */
function addCounts(a: Json | undefined, b: Json | undefined): JsonObject | undefined {
  if (!isObject(a)) return isObject(b) ? b : undefined;
  if (!isObject(b)) return a;
  const added = Object.entries(b).map(([name, count]): [string, Json] => {
    const so = a[name];
    return [name, typeof count === 'number' && typeof so === 'number' ? so + count : (so ?? count ?? null)];
  });
  return { ...a, ...Object.fromEntries(added) };
}

const LISTS = {
  openai: { asked: 'input', given: 'data', usage: 'usage' },
  gemini: { asked: 'requests', given: 'embeddings', usage: 'usageMetadata' },
} as const;

/**
 * A body of the provider's own dialect with more inputs than it takes at once: in parts, each with the rest of the body as it
 * was, and what comes back joined as if it had been one answer.
 */
export async function relayInParts(context: MediaContext, body: JsonObject, { dialect, verb }: Asked): Promise<JsonObject> {
  const { asked, given, usage } = LISTS[dialect];
  const named = dialect === 'gemini' ? renameNested(body, context.call.model, context.model) : { ...body, model: context.model };
  const list = Array.isArray(named[asked]) ? named[asked] : [];
  checkCount(list.length, asked);
  const path = relayPath(context, verb);
  const batch = batchOf(context);
  const starts = Array.from({ length: Math.ceil(list.length / batch) }, (_, part) => part * batch);
  await context.willSend(starts.length);
  const replies = await sideBySide(starts, context.atOnce, async (from, signal) => {
    const some = list.slice(from, from + batch);
    const answer = await context.ask({ path, body: jsonBody({ ...named, [asked]: some }) }, undefined, signal);
    return understood(context, () => {
      const reply = parseObject(answer.body.toString('utf8'));
      const found = reply?.[given];
      if (!reply || !Array.isArray(found) || found.length !== some.length) throw new Error('another number of vectors');
      const moved = found.map((one: Json) =>
        isObject(one) && typeof one['index'] === 'number' ? { ...one, index: one['index'] + from } : one,
      );
      return { ...reply, [given]: moved };
    });
  });
  const [first = {}] = replies;
  const counts = replies.map((one: JsonObject) => one[usage]).reduce((so, one) => addCounts(so, one));
  const input = isObject(counts) ? (counts['prompt_tokens'] ?? counts['total_tokens'] ?? counts['promptTokenCount']) : undefined;
  if (typeof input === 'number') context.count({ input, output: 0 });
  return {
    ...first,
    [given]: replies.flatMap((one: JsonObject) => one[given] as readonly Json[]),
    ...(counts === undefined ? {} : { [usage]: counts }),
  };
}

/** Refuses parts that are no text, where the target embeds text only. */
function refuseParts({ content, at }: EmbeddingInput, codec: EmbeddingsCodec): void {
  if (content.kind === 'parts' && codec.parts !== true)
    throw badField(at, `Invalid request: '${at}' holds more than text, and this model embeds text only`);
}

/** The inputs in a form that the codec takes. */
async function suited(
  inputs: readonly EmbeddingInput[],
  codec: EmbeddingsCodec,
  context: MediaContext,
): Promise<readonly EmbeddingInput[]> {
  const { notes, target } = context;
  const takesTokens = codec.tokens?.(target.options) === true;
  const isForeign = !takesTokens && inputs.some(({ content }) => content.kind === 'tokens');
  const untokenized = isForeign ? await import('../../media/embeddings/untokenized.ts') : undefined;
  return inputs.map((input) => {
    const { content, at } = input;
    if (content.kind === 'tokens' && untokenized) {
      notes.add('input', 'emulated', 'the target takes no tokens: they were read back into text (cl100k_base)');
      return { ...input, content: { kind: 'text', text: untokenized.textOfTokens(content.tokens, at) } };
    }
    refuseParts(input, codec);
    return input;
  });
}

/** What is asked for an input, without what the target has no place for. */
function wishFor(
  { wish }: EmbeddingInput,
  { names }: EmbeddingsCall,
  codec: EmbeddingsCodec,
  { options, notes }: MediaTarget,
): EmbeddingWish {
  const { title, task, ...rest } = wish;
  const takesTask = codec.tasks?.(options) === true;
  if (title !== undefined && codec.titles !== true) notes.add(names.title, 'dropped', 'the target takes no titles');
  if (task !== undefined && !takesTask) notes.add(names.task, 'dropped', 'the target cannot be told what vectors are for');
  return {
    ...rest,
    ...(title !== undefined && codec.titles === true ? { title } : {}),
    ...(task !== undefined && takesTask ? { task } : {}),
  };
}

interface Part {
  readonly wish: EmbeddingWish;
  readonly places: readonly number[];
  readonly contents: readonly EmbeddingContent[];
}

/** Inputs that want the same, in requests of the size that the target takes. */
function partsOf(inputs: readonly EmbeddingInput[], wishes: readonly EmbeddingWish[], batch: number): readonly Part[] {
  const groups = new Map<string, number[]>();
  for (const [place, { task, title, dimensions }] of wishes.entries()) {
    const key = JSON.stringify([task, title, dimensions]);
    const group = groups.get(key);
    if (group) group.push(place);
    else groups.set(key, [place]);
  }
  return [...groups.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / batch) }, (_, part) => {
      const places = group.slice(part * batch, (part + 1) * batch);
      const contents = places.flatMap((place) => inputs[place]?.content ?? []);
      return { places, contents, wish: wishes[places[0] ?? 0] ?? {} };
    }),
  );
}

/** What is asked of a target for inputs that it takes: in as many requests as it needs. */
function planFor({ target: told, media }: Writing, call: EmbeddingsCall, inputs: readonly EmbeddingInput[], codec: EmbeddingsCodec) {
  // What nobody asked for is no loss.
  const target = call.implied === true ? { ...told, notes: createNotes() } : told;
  const wishes = inputs.map((input) => wishFor(input, call, codec, target));
  const parts = partsOf(inputs, wishes, media.wire.batch ?? codec.batch);
  const { names, base64, user, rest } = call;
  const isOpenai = codec.relay?.dialect === 'openai';
  if (user !== undefined && !isOpenai) target.notes.add('user', 'dropped', 'the target does not know it');
  for (const name of [...(call.unknown ?? []), ...(isOpenai ? [] : Object.keys(rest ?? {}))]) {
    target.notes.add(name, 'dropped', 'not known here, and the target speaks another dialect');
  }
  const requestOf = ({ wish, contents }: Part): EmbeddingsRequest => ({
    ...wish,
    inputs: contents,
    names,
    base64,
    ...(user === undefined ? {} : { user }),
    ...(rest && isOpenai ? { rest } : {}),
  });
  return { target, parts, requestOf };
}

/** One input of each kind, for which the same is wished: what one of them would lose, all do. */
function samplesOf(inputs: readonly EmbeddingInput[]): readonly EmbeddingInput[] {
  const seen = new Map<string, EmbeddingInput>();
  for (const input of inputs) {
    const key = JSON.stringify([input.content.kind, input.wish]);
    if (!seen.has(key)) seen.set(key, input);
  }
  return [...seen.values()];
}

/** Writes for a target what `embed` would ask it, as far as it takes to know what it refuses or loses. */
export function writeEmbeddings(writing: Writing, call: EmbeddingsCall): void {
  const codec = codecOf(embeddingsCodecs, writing);
  const isForeign = codec.tokens?.(writing.target.options) !== true;
  const inputs = samplesOf(call.inputs).map((input): EmbeddingInput => {
    refuseParts(input, codec);
    return isForeign && input.content.kind === 'tokens' ? { ...input, content: { kind: 'text', text: 'text' } } : input;
  });
  const { target, parts, requestOf } = planFor(writing, call, inputs, codec);
  for (const part of parts) codec.encode(requestOf(part), target);
}

/** Asks the target for vectors, in as many requests as it needs; they come in the order of the inputs. */
export async function embed(
  context: MediaContext,
  call: EmbeddingsCall,
  codec = codecOf(embeddingsCodecs, context),
): Promise<EmbeddingsReply> {
  checkCount(call.inputs.length, call.names.inputs);
  const { target, parts, requestOf } = planFor(context, call, await suited(call.inputs, codec, context), codec);
  await context.willSend(parts.length);
  const replies = await sideBySide(parts, context.atOnce, async (part, signal) => {
    const request = requestOf(part);
    const answer = await context.ask(codec.encode(request, target), codec, signal);
    const reply = understood(context, () => codec.decode(answer, request, target));
    context.count(reply.usage);
    return reply;
  });
  const vectors: EmbeddingsReply['vectors'][number][] = [];
  for (const [part, { places }] of parts.entries()) {
    for (const [at, place] of places.entries()) vectors[place] = replies[part]?.vectors[at] ?? [];
  }
  const counted = replies.flatMap(({ usage }) => (usage ? [usage.input] : []));
  const model = replies[0]?.model;
  return {
    vectors,
    ...(model === undefined ? {} : { model }),
    ...(counted.length > 0 ? { usage: { input: counted.reduce((sum, count) => sum + count, 0), output: 0 } } : {}),
  };
}
