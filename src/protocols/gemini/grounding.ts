import { type Citation, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import { normal, objects, str } from './dialect.ts';

/*
 * Where claims come from: `groundingMetadata` (search, files) and `citationMetadata` (recitation). Google counts in bytes
 * of the answer's text, the shared language in UTF-16 units. https://ai.google.dev/api/generate-content#GroundingMetadata
 */

const num = (value: Json | undefined): number | undefined => (typeof value === 'number' && value >= 0 ? value : undefined);

/** Byte offsets of a text as UTF-16 ones; `undefined` beyond its end. */
function createByteMap(text: string): (bytes: number) => number | undefined {
  let utf8: Buffer | undefined;
  return (bytes) => {
    utf8 ??= Buffer.from(text);
    return bytes > utf8.length ? undefined : utf8.toString('utf8', 0, bytes).length;
  };
}

interface Span {
  readonly start?: number;
  readonly end?: number;
}

/** The place of a segment: where its offsets say, or where its words stand. */
function spanOf(segment: JsonObject, text: string, at: (bytes: number) => number | undefined): Span {
  const words = str(segment['text']);
  const last = num(segment['endIndex']);
  if (last === undefined && words === '') return {};
  const start = at(num(segment['startIndex']) ?? 0);
  const end = last === undefined ? undefined : at(last);
  const fits = start !== undefined && end !== undefined && end > start && (words === '' || text.slice(start, end) === words);
  if (fits) return { start, end };
  const found = words === '' ? -1 : text.indexOf(words);
  return found < 0 ? {} : { start: found, end: found + words.length };
}

/** The source that a chunk names. */
function sourceOf(chunk: JsonObject): Citation {
  const web = isObject(chunk['web']) ? chunk['web'] : isObject(chunk['maps']) ? chunk['maps'] : undefined;
  const found = web ?? (isObject(chunk['retrievedContext']) ? chunk['retrievedContext'] : {});
  const uri = str(found['uri']);
  const title = str(found['title']);
  const quote = web ? '' : str(found['text']);
  return {
    ...(/^https?:\/\//.test(uri) ? { url: uri } : {}),
    ...(title === '' ? {} : { title }),
    ...(quote === '' ? {} : { quote }),
  };
}

/** Reads what the text of a candidate is grounded in; offsets count in the whole of it. */
function decodeGrounding(raw: JsonObject, text: string): readonly Citation[] {
  const metadata = normal(raw);
  const sources = objects(metadata['groundingChunks']).map(sourceOf);
  const at = createByteMap(text);
  const used = new Set<number>();
  const claims = objects(metadata['groundingSupports']).flatMap((support) => {
    const span = spanOf(isObject(support['segment']) ? support['segment'] : {}, text, at);
    const indices = Array.isArray(support['groundingChunkIndices']) ? (support['groundingChunkIndices'] as readonly Json[]) : [];
    return indices.flatMap((index): readonly Citation[] => {
      const source = typeof index === 'number' ? sources[index] : undefined;
      if (!source || Object.keys(source).length === 0) return [];
      used.add(index as number);
      return [{ ...source, ...span }];
    });
  });
  const others = sources.filter((source, index) => !used.has(index) && source.url !== undefined);
  return [...claims, ...others];
}

function decodeRecitation(raw: JsonObject, text: string): readonly Citation[] {
  const metadata = normal(raw);
  const at = createByteMap(text);
  return objects(metadata['citationSources'] ?? metadata['citations']).flatMap((one) => {
    const url = str(one['uri']);
    const title = str(one['title']);
    return url === '' ? [] : [{ url, ...(title === '' ? {} : { title }), ...spanOf(one, text, at) }];
  });
}

/** Every citation of a candidate; `text` is all of its text, in which offsets count. */
export function decodeCitations(candidate: JsonObject, text: string): readonly Citation[] {
  const { groundingMetadata, citationMetadata } = candidate;
  return [
    ...(isObject(groundingMetadata) ? decodeGrounding(groundingMetadata, text) : []),
    ...(isObject(citationMetadata) ? decodeRecitation(citationMetadata, text) : []),
  ];
}

/** A citation as it stands in one text part that reaches from `from` to `to` in the whole text. */
export function placeCitation(citation: Citation, from: number, to: number): Citation {
  const { start, end, ...source } = citation;
  return start === undefined || end === undefined || start < from || end > to
    ? source
    : { ...source, start: start - from, end: end - from };
}

/** A citation and where its text part begins in the whole text. */
export interface PlacedCitation {
  readonly citation: Citation;
  readonly base: number;
}

function chunkOf({ url, title, quote }: Citation): JsonObject {
  const named = title === undefined ? {} : { title };
  if (url !== undefined) return { web: { uri: url, ...named } };
  return { retrievedContext: { ...named, ...(quote === undefined ? {} : { text: quote }) } };
}

/** Writes citations of any dialect as `groundingMetadata`; `undefined` when there are none. */
export function encodeGrounding(citations: readonly PlacedCitation[], text: string): JsonObject | undefined {
  if (citations.length === 0) return undefined;
  const chunks = new Map<string, number>();
  const supports: JsonObject[] = [];
  for (const { citation, base } of citations) {
    const chunk = JSON.stringify(chunkOf(citation));
    const index = chunks.get(chunk) ?? chunks.size;
    chunks.set(chunk, index);
    const { start, end } = citation;
    if (start === undefined || end === undefined) continue;
    const claim = text.slice(base + start, base + end);
    const startIndex = Buffer.byteLength(text.slice(0, base + start));
    const segment = { ...(startIndex > 0 ? { startIndex } : {}), endIndex: startIndex + Buffer.byteLength(claim), text: claim };
    supports.push({ segment, groundingChunkIndices: [index] });
  }
  return {
    groundingChunks: [...chunks.keys()].map((chunk) => JSON.parse(chunk) as JsonObject),
    ...(supports.length > 0 ? { groundingSupports: supports } : {}),
  };
}
