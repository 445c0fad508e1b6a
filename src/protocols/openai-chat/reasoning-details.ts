import {
  isSealToken,
  type Json,
  type JsonObject,
  type Part,
  parseObject,
  type ReasoningPart,
  readSealToken,
  type Seal,
  writeSeal,
} from '../../ir/index.ts';
import { DIALECT, given } from './dialect.ts';
import { str } from './fields.ts';

/*
 * `reasoning_details` is where clients of this dialect keep what they must bring back unread (OpenRouter's field, which
 * agents replay as it came: https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks).
 *
 * A list that a provider of this dialect made is one seal, its JSON the value, when anything in it is signed or encrypted.
 *
 * Sealed state of other dialects is written as entries of the same shape, its seal as a token (`seal-token.ts`):
 *
 *   reasoning.text       {text, signature}         thinking
 *   reasoning.summary    {summary}                 a summary of it; its seal follows as `reasoning.encrypted`, same index
 *   reasoning.encrypted  {data}                    sealed thinking without text
 *   reasoning.encrypted  {data, id: a call's}      the seal on a tool call
 *   reasoning.encrypted  {data, id: content:a-b}   the seal on those characters of `content`
 *   reasoning.encrypted  {data, id: image:n}       the seal on an image
 *
 * `index` is the place of the part in the message: content, images and calls take one each.
 */

/** Providers say here whose format it is; clients drop entries with words that they do not know. */
const FORMAT = 'unknown';

const isSealed = (detail: JsonObject): boolean =>
  str(detail['signature']) !== '' || (str(detail['data']) !== '' && detail['type'] !== 'reasoning.text');

const textOfDetail = (detail: JsonObject): string => str(detail['text']) || str(detail['summary']);

/** A list as a provider made it: its text, and the seal that it is. */
export function readOwnDetails(details: readonly JsonObject[], text: string, maker?: string): ReasoningPart | undefined {
  const said = text === '' ? details.map(textOfDetail).join('') : text;
  const sealed = details.some(isSealed);
  if (said === '' && !sealed) return undefined;
  const seal: Seal = { by: DIALECT, ...given('maker', maker), value: JSON.stringify(details) };
  const summary = details.length > 0 && details.every((detail) => detail['type'] === 'reasoning.summary' || str(detail['data']) !== '');
  return {
    kind: 'reasoning',
    text: said,
    ...(summary && said !== '' ? { form: 'summary' } : {}),
    ...(sealed ? { seal } : {}),
  };
}

/** The list that a seal of this dialect is; `undefined` when the seal is another's or damaged. */
export function detailsOfSeal(seal: Seal): readonly Json[] | undefined {
  if (seal.by !== DIALECT) return undefined;
  const list = parseObject(`{"list":${seal.value}}`)?.['list'];
  return Array.isArray(list) ? (list as readonly Json[]) : undefined;
}

/** A reasoning part with its place in the message. */
export interface Placed {
  readonly part: ReasoningPart;
  readonly index: number;
}

/** What a list with tokens of ours says. */
export interface Carried {
  readonly reasoning: readonly Placed[];
  /** By call id. */
  readonly calls: ReadonlyMap<string, Seal>;
  readonly content: readonly { readonly start: number; readonly end: number; readonly seal: Seal }[];
  /** By the image's place among the images. */
  readonly images: ReadonlyMap<number, Seal>;
}

/** Whether a list holds state of another dialect, written by `sealDetails` and its like. */
export const holdsTokens = (details: readonly JsonObject[]): boolean =>
  details.some((detail) => isSealToken(str(detail['signature'])) || isSealToken(str(detail['data'])));

/** Reads a list with tokens. `callIds`: of the calls in the message. A damaged token is no seal. */
export function readCarried(details: readonly JsonObject[], callIds: ReadonlySet<string>): Carried {
  const reasoning: Placed[] = [];
  const calls = new Map<string, Seal>();
  const content: { start: number; end: number; seal: Seal }[] = [];
  const images = new Map<number, Seal>();

  const encrypted = (detail: JsonObject, id: string, index: number): void => {
    const seal = readSealToken(str(detail['data']));
    if (!seal) return;
    const span = /^content:(\d+)-(\d+)$/.exec(id);
    const image = /^image:(\d+)$/.exec(id);
    if (span) content.push({ start: Number(span[1]), end: Number(span[2]), seal });
    else if (image) images.set(Number(image[1]), seal);
    else if (callIds.has(id)) calls.set(id, seal);
    else reasoning.push(sealedThinking(reasoning, seal, id, index));
  };
  for (const detail of details) {
    const id = str(detail['id']);
    const index = typeof detail['index'] === 'number' ? detail['index'] : reasoning.length;
    if (detail['type'] === 'reasoning.encrypted') encrypted(detail, id, index);
    else reasoning.push({ index, part: thinking(detail, id) });
  }
  return { reasoning, calls, content, images };
}

/** A seal without text: that of the summary before it, which is taken off `reasoning`, or thinking that is not shown. */
function sealedThinking(reasoning: Placed[], seal: Seal, id: string, index: number): Placed {
  const last = reasoning.at(-1);
  if (last && last.index === index && last.part.form === 'summary' && !last.part.seal) {
    reasoning.pop();
    return { index, part: { ...last.part, seal } };
  }
  const redacted = seal.by === 'anthropic-messages' ? { redacted: true } : {};
  return { index, part: { kind: 'reasoning', text: '', seal, ...redacted, ...given('id', id || undefined) } };
}

function thinking(detail: JsonObject, id: string): ReasoningPart {
  const signature = str(detail['signature']);
  const seal = isSealToken(signature) ? readSealToken(signature) : undefined;
  const own: Seal | undefined = signature !== '' && !isSealToken(signature) ? { by: DIALECT, value: JSON.stringify([detail]) } : undefined;
  return {
    kind: 'reasoning',
    text: textOfDetail(detail),
    ...(detail['type'] === 'reasoning.summary' ? { form: 'summary' } : {}),
    ...given('seal', seal ?? own),
    ...given('id', id || undefined),
  };
}

/** Writes a reasoning part as entries. */
export function reasoningDetails(part: ReasoningPart, index: number): readonly Json[] {
  const own = part.seal && detailsOfSeal(part.seal);
  if (own) return own;
  const id = given('id', part.id);
  const data = part.seal && writeSeal(part.seal, DIALECT);
  const encrypted = { type: 'reasoning.encrypted', data: data ?? '', ...id, format: FORMAT, index };
  if (part.redacted || (part.text === '' && part.seal?.by !== 'anthropic-messages')) return data === undefined ? [] : [encrypted];
  if (part.form === 'summary') {
    const summary = { type: 'reasoning.summary', summary: part.text, ...id, format: FORMAT, index };
    return data === undefined ? [summary] : [summary, encrypted];
  }
  return [{ type: 'reasoning.text', text: part.text, ...(data === undefined ? {} : { signature: data }), ...id, format: FORMAT, index }];
}

/** Writes the seal of something that stands elsewhere in the message: `id` says of what. */
export const sealDetail = (seal: Seal, id: string, index: number): JsonObject => ({
  type: 'reasoning.encrypted',
  data: writeSeal(seal, DIALECT),
  id,
  format: FORMAT,
  index,
});

/** Members of this dialect that are a seal themselves (`extra_content` of Gemini's compatible API), to be spread where they stood. */
export const membersOfSeal = (seal: Seal | undefined): JsonObject => (seal?.by === DIALECT ? (parseObject(seal.value) ?? {}) : {});

/** Reads such members off a message or a call. */
export function sealOfMembers(from: JsonObject, maker?: string): { readonly seal?: Seal } {
  const extra = from['extra_content'];
  if (extra === undefined || extra === null) return {};
  return { seal: { by: DIALECT, ...given('maker', maker), value: JSON.stringify({ extra_content: extra }) } };
}

/** Puts reasoning among the other parts of its message, where its index says. */
export function place(reasoning: readonly Placed[], others: readonly Part[]): readonly Part[] {
  const rest = [...others];
  const parts: Part[] = [];
  for (const { part, index } of reasoning) {
    while (parts.length < index && rest.length > 0) parts.push(rest.shift() as Part);
    parts.push(part);
  }
  return [...parts, ...rest];
}

/** Splits text where seals stood on pieces of it. */
export function sealContent(text: string, spans: Carried['content']): readonly { readonly text: string; readonly seal?: Seal }[] {
  const pieces: { text: string; seal?: Seal }[] = [];
  let at = 0;
  for (const { start, end, seal } of spans) {
    if (start > at) pieces.push({ text: text.slice(at, start) });
    pieces.push({ text: text.slice(start, end), seal });
    at = end;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}

/** Gathers a list that comes in pieces: neighbours of one type, index and id are one entry. */
export function appendDetail(list: JsonObject[], piece: JsonObject): void {
  const last = list.at(-1);
  const same = last && last['type'] === piece['type'] && last['index'] === piece['index'] && idsAgree(last['id'], piece['id']);
  if (!last || !same || last['signature']) {
    list.push(piece);
    return;
  }
  const merged: Record<string, Json | undefined> = { ...last, ...piece };
  for (const key of ['text', 'summary', 'data', 'signature'] as const) {
    const [before, more] = [last[key], piece[key]];
    if (typeof before === 'string') merged[key] = typeof more === 'string' ? before + more : before;
  }
  list[list.length - 1] = merged;
}

const idsAgree = (a: Json | undefined, b: Json | undefined): boolean =>
  a === b || a === undefined || b === undefined || a === null || b === null;
