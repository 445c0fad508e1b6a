import { type Citation, isObject, type Json, type JsonObject, type Notes } from '../../ir/index.ts';
import { DIALECT, given } from './dialect.ts';
import { unknownMembers } from '../../wire/fields.ts';
import { objects, str } from './fields.ts';

const KNOWN = new Set(['url', 'title', 'content', 'start_index', 'end_index']);

/** Offsets of a citation; a place of no extent (0 to 0) is what is written where there is none. */
function place(from: JsonObject): { readonly start?: number; readonly end?: number } {
  const { start_index: start, end_index: end } = from;
  return typeof start === 'number' && typeof end === 'number' && end > 0 ? { start, end } : {};
}

/** Reads one annotation. One that is no address (a file that was read) stays native. */
function decodeAnnotation(value: JsonObject): Citation {
  const inner = value['url_citation'];
  // Some write the members beside `type`.
  const from = isObject(inner) ? inner : value;
  const native = { native: { by: DIALECT, value } } as const;
  if (value['type'] !== 'url_citation' || typeof from['url'] !== 'string') return native;
  const more = isObject(inner) && Object.keys(unknownMembers(inner, KNOWN)).length > 0;
  return {
    url: from['url'],
    ...given('title', str(from['title']) || undefined),
    ...given('quote', str(from['content']) || undefined),
    ...place(from),
    ...(more ? native : {}),
  };
}

/** Reads `annotations`. */
export const decodeAnnotations = (value: Json | undefined): readonly Citation[] => objects(value).map(decodeAnnotation);

/** Reads `citations` and `search_results` as Perplexity has them beside the choices; those already cited are left out. */
export function decodeSources(body: JsonObject, cited: readonly Citation[]): readonly Citation[] {
  const known = new Set(cited.map((citation) => citation.url));
  const found = new Map<string, Citation>();
  for (const result of objects(body['search_results'])) {
    const url = str(result['url']);
    if (url !== '') found.set(url, { url, ...given('title', str(result['title']) || undefined) });
  }
  const urls = Array.isArray(body['citations']) ? (body['citations'] as readonly Json[]) : [];
  for (const url of urls) if (typeof url === 'string' && url !== '' && !found.has(url)) found.set(url, { url });
  return [...found.values()].filter((citation) => !known.has(citation.url));
}

/** Writes a citation as an annotation, its offsets moved by where its text stands in the message; one without an address cannot be said. */
function encodeCitation(citation: Citation, offset: number): JsonObject | undefined {
  if (citation.native?.by === DIALECT) return citation.native.value;
  const { url, title, quote, start, end } = citation;
  if (url === undefined) return undefined;
  const placed = start !== undefined && end !== undefined;
  return {
    type: 'url_citation',
    url_citation: {
      start_index: placed ? start + offset : 0,
      end_index: placed ? end + offset : 0,
      title: title ?? '',
      url,
      ...(quote === undefined ? {} : { content: quote }),
    },
  };
}

/** Writes citations; what cannot be said is left out, with a note. */
export function encodeCitations(citations: readonly Citation[], offset: number, notes?: Notes): readonly JsonObject[] {
  const said = citations.map((citation) => encodeCitation(citation, offset)).filter((one) => one !== undefined);
  if (said.length < citations.length) notes?.add('citations', 'dropped', 'a citation without an address has no form in chat');
  return said;
}
