import { type Citation, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';

const text = (from: JsonObject, ...keys: readonly string[]): string | undefined => {
  for (const key of keys) {
    const value = from[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
};

/** A citation that this gateway wrote for another dialect's source: its place in the index is empty, and no API would take it back. */
const isMadeUp = (from: JsonObject): boolean => from['type'] === 'web_search_result_location' && from['encrypted_index'] === '';

/** Reads one citation of a text block. Locations in documents stay native; they count in the source, not in the text. */
function decodeCitation(value: JsonObject): Citation {
  const source = text(value, 'url', 'source');
  const title = text(value, 'title', 'document_title');
  const quote = text(value, 'cited_text');
  return {
    ...(source && /^https?:\/\//.test(source) ? { url: source } : {}),
    ...(title === undefined ? {} : { title }),
    ...(quote === undefined ? {} : { quote }),
    ...(isMadeUp(value) ? {} : { native: { by: DIALECT, value } }),
  };
}

/** Reads the `citations` of a block; `undefined` when there are none. */
export function decodeCitations(value: Json | undefined): readonly Citation[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const citations = (value as readonly Json[]).filter(isObject).map(decodeCitation);
  return citations.length > 0 ? citations : undefined;
}

/** Citations of a block hang on all of its text: other dialects say where in the answer that is. */
export const placed = (citations: readonly Citation[], length: number): readonly Citation[] =>
  length === 0 ? citations : citations.map((citation) => ({ ...citation, start: 0, end: length }));

/** The citation in this dialect's own words, where it was read off them. */
export const nativeCitation = (citation: Citation): JsonObject | undefined =>
  citation.native?.by === DIALECT ? citation.native.value : undefined;

/** Writes a citation for a client. One of another dialect becomes a web search location; one without an address cannot be said. */
export function encodeCitation(citation: Citation): JsonObject | undefined {
  const native = nativeCitation(citation);
  if (native) return native;
  if (citation.url === undefined) return undefined;
  return {
    type: 'web_search_result_location',
    cited_text: citation.quote ?? '',
    url: citation.url,
    title: citation.title ?? null,
    encrypted_index: '',
  };
}
