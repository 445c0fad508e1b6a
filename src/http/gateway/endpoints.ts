import type { Ability, ProtocolId } from '../../ir/index.ts';
import type { ParsedPath } from './paths.ts';
import { splitModelVerb } from './paths.ts';

/** What a path and method ask for. */
export type Operation =
  | {
      readonly kind: 'generate';
      readonly protocol: ProtocolId;
      readonly model?: string;
      readonly stream?: boolean;
      readonly array?: boolean;
    }
  | MediaOperation
  | { readonly kind: 'count-tokens'; readonly protocol: ProtocolId; readonly model?: string }
  | { readonly kind: 'models'; readonly id?: string }
  | StateOperation
  /** Something that is kept, by its signed link or by its owner's key. */
  | { readonly kind: 'kept'; readonly id: string; readonly protocol: ProtocolId }
  | { readonly kind: 'hello' }
  | ({ readonly kind: 'not-due'; readonly what: string } & Partial<Dialect>)
  | ({ readonly kind: 'unknown' } & Partial<Dialect>)
  /** Something that there is, and that is asked for otherwise. */
  | ({ readonly kind: 'method'; readonly allow: string } & Partial<Dialect>);

/** In whose words a client is refused. */
export interface Dialect {
  /** Whose error envelope. */
  readonly protocol: ProtocolId;
  /** Whose requests and replies, where those are not the protocol's: they may have errors of their own. */
  readonly shape?: MediaOperation['shape'];
}

/** Something about what the gateway keeps for a client. */
interface StateOperation {
  readonly kind: 'state';
  readonly resource: 'responses' | 'conversations';
  readonly rest: readonly string[];
  /** A model has to answer first; all else is there at once. */
  readonly asksModel?: true;
}

/** An ability besides chat, as one vendor's clients ask for it. */
export interface MediaOperation extends Dialect {
  readonly kind: 'media';
  readonly ability: Ability;
  readonly shape: 'openai' | 'gemini' | 'cohere';
  /** The model that the path names (Gemini). */
  readonly model?: string;
  /** What is asked of the model (Gemini): `embedContent`. */
  readonly verb?: string;
  /** What follows the endpoint's name, by slashes: the id of a task, and what of it. */
  readonly rest?: readonly string[];
}

const media = (ability: Ability, shape: MediaOperation['shape'] = 'openai'): MediaOperation => ({
  kind: 'media',
  ability,
  shape,
  protocol: shape === 'gemini' ? 'gemini' : 'openai-chat',
});

/** POST endpoints with a fixed path. */
const POSTS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['chat/completions', { kind: 'generate', protocol: 'openai-chat' }],
  ['completions', { kind: 'generate', protocol: 'openai-completions' }],
  ['responses', { kind: 'generate', protocol: 'openai-responses' }],
  ['messages', { kind: 'generate', protocol: 'anthropic-messages' }],
  ['messages/count_tokens', { kind: 'count-tokens', protocol: 'anthropic-messages' }],
  ['responses/input_tokens', { kind: 'count-tokens', protocol: 'openai-responses' }],
  ['rerank', media('rerank')],
  ['audio/speech', media('speech')],
  ['audio/transcriptions', media('transcription')],
  ['audio/translations', media('translation')],
  ['images/generations', media('images')],
  ['images/edits', media('image-edits')],
  ['images/variations', media('image-variations')],
  ['embeddings', media('embeddings')],
  ['moderations', media('moderations')],
]);

const COHERE_RERANK = media('rerank', 'cohere');

/** Endpoints of the vendors that Pailou does not serve (yet): said in so many words, not as a wrong path. */
const NOT_DUE: ReadonlySet<string> = new Set([
  'files',
  'batches',
  'fine_tuning',
  'realtime',
  'uploads',
  'assistants',
  'threads',
  'vector_stores',
]);

/** What is asked of a model by a verb at the end of its path; `undefined`: by none that there is. */
export function geminiOperation(endpoint: string, query: URLSearchParams): Operation | undefined {
  const split = splitModelVerb(endpoint);
  if (!split) return undefined;
  const { model, verb } = split;
  switch (verb) {
    case 'generateContent':
      return { kind: 'generate', protocol: 'gemini', model, stream: false };
    case 'streamGenerateContent':
      return { kind: 'generate', protocol: 'gemini', model, stream: true, array: query.get('alt') !== 'sse' };
    case 'countTokens':
      return { kind: 'count-tokens', protocol: 'gemini', model };
    case 'embedContent':
    case 'batchEmbedContents':
      return { ...media('embeddings', 'gemini'), model, verb };
    case 'predictLongRunning':
    case 'fetchPredictOperation':
      return { ...media('videos', 'gemini'), model, verb };
    case 'predict':
      return { ...media('images', 'gemini'), model, verb };
    case 'batchGenerateContent':
      return { kind: 'not-due', what: verb, protocol: 'gemini' };
    default:
      return undefined;
  }
}

function stateOperation(endpoint: string): Operation | undefined {
  const [resource, ...rest] = endpoint.split('/');
  if (resource !== 'responses' && resource !== 'conversations') return undefined;
  if (resource === 'responses' && rest.length === 0) return undefined;
  return { kind: 'state', resource, rest, ...(endpoint === 'responses/compact' ? { asksModel: true } : {}) };
}

/** Tasks, and what is kept of them: endpoints with ids in them, whose methods are told apart where they are answered. */
function keptOperation(endpoint: string): Operation | undefined {
  const link = /^media\/([a-z0-9]+)$/.exec(endpoint);
  if (link?.[1] !== undefined) return { kind: 'kept', id: link[1], protocol: 'openai-chat' };
  // Google's SDK puts the whole address of a file behind `files/` where it does not begin with https.
  const file = /^files\/(?:.*\/)?([a-z0-9]+):download$/.exec(endpoint);
  if (file?.[1] !== undefined) return { kind: 'kept', id: file[1], protocol: 'gemini' };
  const running = /^(?:models\/.+\/)?operations\/([^/]+)$/.exec(endpoint);
  if (running?.[1] !== undefined) return { ...media('videos', 'gemini'), rest: ['operations', running[1]] };
  if (endpoint.startsWith('images/')) return { ...media('images'), rest: endpoint.split('/').slice(1) };
  if (endpoint !== 'videos' && !endpoint.startsWith('videos/')) return undefined;
  return { ...media('videos'), rest: endpoint.split('/').slice(1) };
}

/** Reads method and path as one operation. */
export function operationOf(method: string, path: ParsedPath): Operation {
  const { endpoint, query } = path;
  const reads = method === 'GET' || method === 'HEAD';
  if (endpoint === '' || endpoint === 'hello' || endpoint === 'api/hello')
    return reads ? { kind: 'hello' } : { kind: 'method', allow: 'GET, HEAD' };
  if (endpoint === 'rerank' && path.version === 'v2')
    return method === 'POST' ? COHERE_RERANK : { ...COHERE_RERANK, kind: 'method', allow: 'POST' };
  const post = POSTS.get(endpoint);
  if (post) return method === 'POST' ? post : { kind: 'method', allow: 'POST' };
  const kept = keptOperation(endpoint);
  if (kept) return kept;
  const verb = geminiOperation(endpoint, query);
  if (verb) return method === 'POST' ? verb : { kind: 'method', allow: 'POST', protocol: 'gemini' };
  if (endpoint === 'models') return reads ? { kind: 'models' } : { kind: 'method', allow: 'GET' };
  if (endpoint.startsWith('models/')) {
    if (reads) return { kind: 'models', id: endpoint.slice('models/'.length) };
    // A verb that nobody has, not a wrong method.
    return method === 'POST' && splitModelVerb(endpoint) ? { kind: 'unknown', protocol: 'gemini' } : { kind: 'method', allow: 'GET' };
  }
  const state = stateOperation(endpoint);
  if (state) return state;
  const word = endpoint.split('/', 1)[0] ?? '';
  return NOT_DUE.has(word) ? { kind: 'not-due', what: word } : { kind: 'unknown' };
}
