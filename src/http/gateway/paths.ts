/** Provider names that a path's first segment cannot be. */
export const RESERVED: ReadonlySet<string> = new Set(
  'v1 v1beta v1beta1 v2 admin console metrics livez readyz api chat completions responses messages models embeddings rerank audio images videos moderations conversations media'.split(
    ' ',
  ),
);

/** A path read once: routing and authorization see the same thing. */
export interface ParsedPath {
  /** The provider named first, where it is not one of our own words. */
  readonly platform?: string;
  /** The version segment that was there: `v1beta` tells a Gemini client. */
  readonly version?: string;
  /** What remains, without version and slashes at the ends: `chat/completions`, `models/gemini-pro:generateContent`. Percent-decoded. */
  readonly endpoint: string;
  readonly query: URLSearchParams;
}

const VERSIONS: ReadonlySet<string> = new Set(['v1', 'v1beta', 'v1beta1', 'v2']);

/** Whether a text holds what no id and no path segment may: control characters would end a line or a header upstream. */
export function hasControlCharacters(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}

/** Decodes one path segment; `undefined` for broken percent signs and for what must never reach an upstream's path. */
function decodeSegment(segment: string): string | undefined {
  try {
    const text = segment.includes('%') ? decodeURIComponent(segment) : segment;
    return hasControlCharacters(text) || text.includes('\\') ? undefined : text;
  } catch {
    return undefined;
  }
}

const NO_QUERY = new URLSearchParams();

/** Paths without a query as they were read: clients ask for a few of them again and again. Bounded, for they choose them. */
const read = new Map<string, ParsedPath>();
const MAX_READ = 500;
const MAX_READ_LENGTH = 200;

/** A path as `readPath` reads it, remembered where it is short and has no query. */
export function parsePath(target: string): ParsedPath | undefined {
  const known = read.get(target);
  if (known) return known;
  const path = readPath(target);
  if (path?.query === NO_QUERY && target.length <= MAX_READ_LENGTH) {
    if (read.size >= MAX_READ) read.clear();
    read.set(target, path);
  }
  return path;
}

/** What stands before the query, and that. */
function split(target: string): readonly [path: string, query: URLSearchParams] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, NO_QUERY] : [target.slice(0, mark), new URLSearchParams(target.slice(mark + 1))];
}

/** A path of segments that are read. */
function pathOf(segments: readonly string[], query: URLSearchParams): ParsedPath {
  let at = 0;
  let platform: string | undefined;
  const first = segments[0];
  if (first !== undefined && !RESERVED.has(first) && segments.length > 1) {
    platform = first;
    at = 1;
  }
  let version: string | undefined;
  for (let times = 0; times < 2 && VERSIONS.has(segments[at] ?? ''); times++) version = segments[at++];
  return {
    endpoint: segments.slice(at).join('/'),
    query,
    ...(platform === undefined ? {} : { platform }),
    ...(version === undefined ? {} : { version }),
  };
}

/**
 * Takes paths as clients send them: without `/v1`, with `/v1/v1`, with doubled or trailing slashes. `undefined`: not a
 * path that could mean anything (broken escapes, control characters, dot segments, an absolute URL).
 */
function readPath(target: string): ParsedPath | undefined {
  if (!target.startsWith('/')) return undefined;
  const [path, query] = split(target);
  const segments: string[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const segment = decodeSegment(raw);
    if (segment === undefined || segment === '.' || segment === '..' || segment.split('/').includes('..')) return undefined;
    segments.push(segment);
  }
  return pathOf(segments, query);
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i;

/**
 * What can be read of a target that means nothing, with a break where it cannot, and without its origin and its dots: by how it begins it is
 * told whose client sent it. Nothing else may be told from it.
 */
export function beginningOf(target: string): ParsedPath {
  const [path, query] = split(target.replace(ORIGIN, ''));
  const segments = path.split('/').flatMap((raw) => {
    const segment = decodeSegment(raw);
    return segment === undefined ? raw.split(/[%\\]/) : [segment];
  });
  return pathOf(
    segments.filter((one) => one !== '' && one !== '.' && one !== '..'),
    query,
  );
}

/**
 * A Gemini endpoint's model and verb: the last colon splits them, model ids may hold colons and slashes themselves. The AI
 * SDK leaves `models/` out where an id has a slash, as our own do.
 */
export function splitModelVerb(endpoint: string): { readonly model: string; readonly verb: string } | undefined {
  const colon = endpoint.lastIndexOf(':');
  if (colon < 0) return undefined;
  const model = modelIn(endpoint.slice(0, colon));
  return model === '' ? undefined : { model, verb: endpoint.slice(colon + 1) };
}

/** Google's SDK writes for its own cloud `publishers/google/models/…`, and `a/b` as `publishers/a/models/b`, some with their project. */
const PUBLISHED = /^(?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/([^/]+)\/models\/(.+)$/;

function modelIn(path: string): string {
  const [, publisher, name = ''] = PUBLISHED.exec(path) ?? [];
  if (publisher !== undefined) return publisher === 'google' ? name : `${publisher}/${name}`;
  return path.startsWith('models/') ? path.slice('models/'.length) : path;
}
