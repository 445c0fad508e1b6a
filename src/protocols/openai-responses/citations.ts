import type { Citation, Json, JsonObject } from '../../ir/index.ts';
import { unknownMembers } from '../../wire/fields.ts';
import { DIALECT, given, objects, str } from './dialect.ts';

const KNOWN = new Set(['type', 'url', 'title', 'start_index', 'end_index']);

/** Reads one annotation. One that is no address (a file that was read) stays native. */
export function decodeAnnotation(value: JsonObject): Citation {
  const native = { native: { by: DIALECT, value } } as const;
  const { url, start_index: start, end_index: end } = value;
  if (value['type'] !== 'url_citation' || typeof url !== 'string')
    return { ...given('title', str(value['filename']) || undefined), ...native };
  const placed = typeof start === 'number' && typeof end === 'number' && end > 0;
  return {
    url,
    ...given('title', str(value['title']) || undefined),
    ...(placed ? { start, end } : {}),
    ...(Object.keys(unknownMembers(value, KNOWN)).length > 0 ? native : {}),
  };
}

/** Reads `annotations`. */
export const decodeAnnotations = (value: Json | undefined): readonly Citation[] => objects(value).map(decodeAnnotation);

/** Writes a citation; one without an address cannot be said. */
function encodeCitation({ native, url, title, start, end }: Citation): JsonObject | undefined {
  if (native?.by === DIALECT) return native.value;
  if (url === undefined) return undefined;
  return { type: 'url_citation', start_index: start ?? 0, end_index: end ?? 0, title: title ?? '', url };
}

/** Writes citations; what cannot be said is left out. */
export const encodeCitations = (citations: readonly Citation[]): readonly JsonObject[] =>
  citations.map(encodeCitation).filter((one) => one !== undefined);
