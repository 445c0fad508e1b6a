// Names that would lead elsewhere if they went on as they are, and the places of all endpoints where clients put names.
import { FAMILIES } from '../fakes/fault-families.ts';
import { DIALECTS } from './dialects.ts';

/** What would lead elsewhere, end a line, or change what a path means, if it went on as it is. */
export const EVIL_NAMES: readonly (readonly [name: string, text: string])[] = [
  ['line ends', 'up\r\nx-evil: 1\r\n'],
  ['a request of its own', 'up HTTP/1.1\r\nhost: evil.example\r\n\r\nGET /secret'],
  ['a line feed', 'up\nGET /secret'],
  ['a NUL', 'up\0'],
  ['the way up', '../../secret'],
  ['the way up, inside', 'up/../../secret'],
  ['the way up, escaped', '%2e%2e/%2e%2e/secret'],
  ['an escaped slash', 'up%2f..%2f..%2fsecret'],
  ['an escaped line end', 'up%0d%0ax-evil:%201'],
  ['escaped twice', 'up%252f..%252fsecret'],
  ['a back slash', 'up\\..\\secret'],
  ['a fragment', 'up#/secret'],
  ['a query', 'up?key=stolen&alt=sse'],
  ['a host', '@evil.example/secret'],
  ['another host', 'up@evil.example'],
  ['a whole URL', 'https://evil.example/secret'],
  ['a URL without a scheme', '//evil.example/secret'],
  ['a full-width slash', 'up／..／secret'],
  ['half a character', 'up\ud800'],
  ['very long', 'x'.repeat(5000)],
];

/** Each request's target, exactly as it came. */
const LEGAL = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\?[^#\s]*)?$/;

/** Whether a request that reached the upstream went where it should: below one of these paths, and as one path only. */
export function wentRight(path: string, paths: readonly string[]): boolean {
  // However often it is unescaped, no segment leads up.
  const leadsUp = path.split('?')[0]?.split('/').includes('..') === true;
  const leadsAway = /%2e%2e(?:\/|$)|%2f\.\.(?:%2f|\/|$)|\/secret|%0d|%0a|%00|(?<!\/model\/[^/]*)evil\.example\/|\?key=stolen/i.test(path);
  return LEGAL.test(path) && !leadsUp && !leadsAway && paths.some((one) => path.startsWith(one));
}

/** Whether a family is chat, of which any provider knows any model. */
export const isChat = ({ name }: (typeof FAMILIES)[number]): boolean => DIALECTS.some(({ id }) => name.startsWith(id));

/** A name as a client writes it into a path who escapes nothing but what would end the request line. */
export const inTarget = (name: string): string =>
  name.replaceAll(/[\s\0\u0080-\uffff]/g, (char) => encodeURIComponent(char.isWellFormed() ? char : '\ufffd'));

/** The model in a body or a path, replaced. */
export function withModel(
  family: (typeof FAMILIES)[number],
  model: string,
): { readonly path: string; readonly type: string; readonly body: Buffer } {
  const { path, type, body } = family.ask('x');
  const text = body.toString('latin1');
  const known = (/"model":\s*"([^"]+)"/.exec(text) ?? /name="model"\r\n\r\n([^\r]+)/.exec(text))?.[1];
  // Abilities besides chat are known by how a model's name begins.
  const named = isChat(family) ? `${family.provider}/${model}` : `${known ?? `${family.provider}/up`}${model}`;
  if (type.startsWith('multipart/')) {
    const sent = text.replace(/(name="model"\r\n\r\n)[^\r]+/, (_all, head: string) => head + Buffer.from(named).toString('latin1'));
    return { path, type, body: Buffer.from(sent, 'latin1') };
  }
  if (known !== undefined) {
    return { path, type, body: Buffer.from(body.toString().replace(JSON.stringify(known), () => JSON.stringify(named))) };
  }
  // In a path, up to its verb.
  const [, inPath] = new RegExp(`/models/(${family.provider}/[^:]+)`).exec(path) ?? [];
  return { path: inPath === undefined ? path : path.replace(inPath, () => inTarget(isChat(family) ? named : inPath + model)), type, body };
}

/** Places of ids: in paths, and in bodies. */
export const ID_PLACES: readonly (readonly [name: string, ask: (id: string) => readonly [method: string, path: string, body?: unknown]])[] =
  [
    ['a response', (id) => ['GET', `/v1/responses/${id}`]],
    ['a response to cancel', (id) => ['POST', `/v1/responses/${id}/cancel`, {}]],
    ['a response to delete', (id) => ['DELETE', `/v1/responses/${id}`]],
    ['a response’s items', (id) => ['GET', `/v1/responses/${id}/input_items`]],
    ['a conversation', (id) => ['GET', `/v1/conversations/${id}`]],
    ['an item', (id) => ['GET', `/v1/conversations/conv_1/items/${id}`]],
    ['a video', (id) => ['GET', `/v1/videos/${id}`]],
    ['a video’s content', (id) => ['GET', `/v1/videos/${id}/content`]],
    ['a video to remix', (id) => ['POST', `/v1/videos/${id}/remix`, { prompt: 'a' }]],
    ['a character', (id) => ['GET', `/v1/videos/characters/${id}`]],
    ['a task of images', (id) => ['GET', `/v1/images/${id}`]],
    ['an operation', (id) => ['GET', `/v1beta/operations/${id}`]],
    ['an operation of a model', (id) => ['GET', `/v1beta/models/gem/up/operations/${id}`]],
    ['a file', (id) => ['GET', `/v1beta/files/${id}:download`]],
    ['a kept file', (id) => ['GET', `/media/${id}`]],
    ['a model', (id) => ['GET', `/v1/models/${id}`]],
    ['a region', (id) => ['POST', `/v1/projects/p/locations/${id}/publishers/google/models/gem/up:generateContent`, { contents: [] }]],
    ['the response before', (id) => ['POST', '/v1/responses', { model: 'res/up', input: 'a', previous_response_id: id }]],
    ['the conversation of a response', (id) => ['POST', '/v1/responses', { model: 'res/up', input: 'a', conversation: id }]],
    ['an operation to fetch', (id) => ['POST', '/v1beta/models/gem/up:fetchPredictOperation', { operationName: id }]],
    ['a video to extend', (id) => ['POST', '/v1/videos/extensions', { model: 'maker/sora-2', prompt: 'a', video: { id } }]],
  ];

/** Where what holds an id may rightly lead, at a provider without a place of its own. */
const AT_ROOT = [
  '/v1/models',
  '/v1beta/models',
  '/api/v1/models',
  '/models',
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/videos',
] as const;

/** Where what holds an id may rightly lead. */
export const ID_PATHS: readonly string[] = [
  ...AT_ROOT,
  ...FAMILIES.flatMap(({ below }) => (below === undefined ? [] : AT_ROOT.map((path) => below.slice(0, -1) + path))),
];
