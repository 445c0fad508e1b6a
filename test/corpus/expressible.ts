import type { Note, ProtocolId, StopReason } from '../../src/ir/index.ts';
import type { ReplyEssence } from './essence.ts';

/** What a client's dialect can say of why a reply ended: words that it lacks come back as the nearest one. */
const STOPS: { readonly [P in ProtocolId]?: { readonly [S in StopReason]?: StopReason } } = {
  'openai-chat': {
    'stop-sequence': 'stop',
    pause: 'stop',
    refusal: 'content-filter',
    'context-exceeded': 'length',
    'malformed-tool-call': 'stop',
    other: 'stop',
  },
  'openai-responses': {
    'stop-sequence': 'stop',
    pause: 'stop',
    refusal: 'content-filter',
    'context-exceeded': 'length',
    'malformed-tool-call': 'stop',
    other: 'stop',
  },
  'anthropic-messages': { 'content-filter': 'refusal', 'malformed-tool-call': 'stop', other: 'stop' },
  gemini: { 'stop-sequence': 'stop', pause: 'stop', refusal: 'content-filter', 'context-exceeded': 'length' },
};

/** The stop reason that a client of this dialect can be told. Clients run tools only where the reply says so; a refusal is one also where the upstream called it a stop. */
function expectedStop(client: ProtocolId, { stop, calls, refusal }: ReplyEssence): StopReason {
  if (calls.length > 0 && (stop === 'stop' || stop === 'other')) return 'tool-calls';
  if (client === 'anthropic-messages' && refusal !== '' && (stop === 'stop' || stop === 'other')) return 'refusal';
  return STOPS[client]?.[stop] ?? stop;
}

type Say = (said: ReplyEssence) => Partial<ReplyEssence>;

const only = (lines: readonly string[], ...kinds: readonly string[]): readonly string[] =>
  lines.filter((line) => kinds.some((kind) => line === kind || line.startsWith(`${kind} `)));

/** Text, refusal and thoughts as a dialect without a place of its own for refusals has them. */
const refusalAsText: Say = ({ text, refusal }) => ({ text: text + refusal, refusal: '' });

const withoutRefusal = (order: readonly string[]): readonly string[] => {
  const out: string[] = [];
  for (const kind of order.map((one) => (one === 'refusal' ? 'text' : one))) if (out.at(-1) !== kind) out.push(kind);
  return out;
};

/** What a client of another dialect can be told of a reply. What is not named here must come through as it is. */
const SAYS: { readonly [P in ProtocolId]?: Say } = {
  // One message: text, thoughts and calls each in a place of its own; no hosted tools.
  'openai-chat': (said) => ({
    order: [],
    hosted: [],
    media: only(said.media, 'image', 'audio', 'media'),
    sequence: '',
  }),
  // Items in their order; one answer.
  'openai-responses': (said) => ({
    others: [],
    media: only(said.media, 'image', 'audio', 'media'),
    hosted: only(said.hosted, 'web-search', 'code-execution', 'file-search', 'image-generation', 'mcp'),
    sequence: '',
  }),
  // Blocks in their order; one answer, no log probabilities, images only.
  'anthropic-messages': (said) => ({
    ...refusalAsText(said),
    order: withoutRefusal(said.order).filter((kind) => kind !== 'media' || only(said.media, 'image', 'media').length > 0),
    // Sources of an answer without text have nothing to stand on.
    citations: said.text === '' ? [] : said.citations.map(unplaced),
    hosted: only(said.hosted, 'web-search', 'web-fetch', 'code-execution', 'mcp'),
    others: [],
    logprobs: 0,
    media: only(said.media, 'image', 'media'),
  }),
  // Of hosted tools only code is a part; what was written to a cache is not counted.
  gemini: (said) => ({
    ...refusalAsText(said),
    order: withoutRefusal(said.order),
    hosted: only(said.hosted, 'code-execution'),
    sequence: '',
    usage: Object.fromEntries(Object.entries(said.usage).filter(([kind]) => kind !== 'cacheWrite')),
  }),
};

/** A citation without the words that it stands on: a block of Messages is cited as a whole. */
export const unplaced = (citation: string): string => citation.replace(/\t.*$/s, '');

/** The order of what is said, hosted tools left out: each dialect has a place of its own for what they do. */
export function withoutHosted(said: ReplyEssence): ReplyEssence {
  const order: string[] = [];
  for (const kind of said.order) if (!kind.startsWith('hosted') && order.at(-1) !== kind) order.push(kind);
  // What it was asked is worded in each dialect's own way; Responses has one word for searching and fetching.
  const hosted = said.hosted.map((line) => line.split(' ')[0]?.replace('web-fetch', 'web-search') ?? '').toSorted();
  return { ...said, order, hosted };
}

/** What a client of this dialect must be told of a reply that came in the dialect `upstream`. */
export const expectedReply = (client: ProtocolId, upstream: ProtocolId, said: ReplyEssence): ReplyEssence =>
  client === upstream ? said : { ...withoutHosted(said), ...SAYS[client]?.(withoutHosted(said)), stop: expectedStop(client, said) };

/** Where a request's conversation stands on the wires. */
const CONVERSATION = /^(messages|contents|input)(\[\d+\](\.\w+)?)?$|^(native|name)$|^tool_result\.is_error$/;

/** Which notes answer for the loss or change of which line of a request: by the field's name and nothing wider. */
const NOTED: readonly (readonly [RegExp, RegExp])[] = [
  [/^system$/, /^(system|instructions|response_format|tool_choice|tools)$|^(messages|input)(\[\d+\](\.\w+)?)?$/],
  [/^conversation$/, CONVERSATION],
  [/^reasoning\.replayed$/, /^reasoning$/],
  [/^hosted\.replayed$/, /^(hosted-call|hosted-result)$/],
  [/^hosted\./, /^tools(\..+)?$/],
  [/^tool_choice$/, /^(tool_choice|toolConfig)$/],
  [/^parallel$/, /^parallel_tool_calls$/],
  [/^output$/, /^(response_format|output_config|text\.format|generationConfig\.response\w+)$/],
  [/^(effort|thinks)$/, /^(reasoning(\.(effort|budget))?|thinking(\.budget_tokens)?)$/],
  [/^prompt_cache_key$/, /^prompt_cache_key$/],
  [/^tier$/, /^service_tier$/],
  [/^cache$/, /^cache_control$/],
];

/** A field under its own name, also in Gemini's words. */
function plainly(field: string): RegExp {
  const camel = field.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  return new RegExp(`^((generationConfig\\.)?${camel}|${field})$`);
}

function noteFor(field: string): RegExp {
  const residue = /^residue\.(?:(messages|tools)\.)?(.+)$/.exec(field);
  if (residue) return new RegExp(`^${residue[1] ? `${residue[1]}\\.` : ''}${residue[2]}$`);
  const tool = /^tool\.(.+?)(\.strict)?$/.exec(field);
  // Where a choice allows some tools only, and the target cannot be told so, only those are defined.
  if (tool) return new RegExp(`^tool_choice$|^tools(\\.${tool[1]?.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(\\.\\w+)?)?$`);
  return NOTED.find(([line]) => line.test(field))?.[1] ?? plainly(field);
}

const linesOf = (text: string | undefined): readonly string[] => (text ?? '').split('\n');

/** What is said in a conversation, whoever says it. */
const saidIn = (text: string | undefined): readonly string[] =>
  linesOf(text).map((line) => line.replace(/^(\w+ (says|shows)|result of .+?:) ?/, ''));

/** Whether all that was said is still said somewhere. */
function isAllThere(before: string, after: string | undefined): boolean {
  const now = saidIn(after).join('\n');
  return saidIn(before).every((line) => now.includes(line));
}

/** Fields whose loss would change the answer: these are refused, a note is not enough. */
const CONTENT = /^residue\.(suffix|prompt|cachedContent|mcp_servers|thread)$/;

/** A conversation without what notes say is lost: that a call failed, blocks of a model in another dialect, the form of a text. */
function withoutTold(conversation: string, notes: readonly Note[]): string {
  const is = (what: Note['what'], field: RegExp): boolean => notes.some((note) => note.what === what && field.test(note.field));
  return linesOf(conversation)
    .filter((line) => !(is('dropped', /^(native|messages|input|contents)$/) && /^(assistant|system) \S+ \{/.test(line)))
    .filter((line) => !(is('approximated', /^(messages|input|contents)$/) && /^(\w+ (shows document|\S+ \{)|result of nothing)/.test(line)))
    .map((line) => (is('dropped', /is_error$/) ? line.replace(', an error:', ':') : line))
    .join('\n');
}

const JSON_WORDS: Note = { field: 'system', what: 'emulated', why: 'JSON mode asks for it' };

/**
 * Whether a difference is one that was said out loud: by a note on that very field, of a kind that explains it. What only
 * moved must still be there; what was emulated in words may only have grown.
 */
export function excuse(field: string, before: string, after: string | undefined, notes: readonly Note[]): Note | undefined {
  const pattern = noteFor(field);
  const found = notes.filter((note) => pattern.test(note.field));
  // JSON mode is refused where no message speaks of JSON: such words may be added.
  if (field === 'system' && after?.includes(before) && /one JSON object/.test(after.replace(before, ''))) return JSON_WORDS;
  if (field === 'system' && after?.includes(before)) return found.find((note) => note.what === 'emulated' || note.what === 'moved');
  if (field === 'system') return found.find((note) => note.what === 'moved' || note.what === 'dropped');
  if (field === 'conversation') return isAllThere(withoutTold(before, found), after) ? found[0] : undefined;
  if (CONTENT.test(field)) return undefined;
  if (after === undefined) return found.find((note) => note.what !== 'approximated') ?? found[0];
  return found[0];
}
