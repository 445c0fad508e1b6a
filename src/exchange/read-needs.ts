import { isObject, type JsonObject } from '../ir/index.ts';
import type { Need, Needs } from '../policy/needs.ts';

/** What content of a type needs, by the words of all dialects. */
const BY_TYPE: Readonly<Record<string, Need>> = {
  image_url: 'vision',
  input_image: 'vision',
  image: 'vision',
  file: 'files',
  input_file: 'files',
  document: 'files',
  input_audio: 'audio',
  audio: 'audio',
  video_url: 'video',
  input_video: 'video',
  video: 'video',
};

function byMediaType(type: string): Need | undefined {
  if (type.startsWith('image/')) return 'vision';
  if (type.startsWith('audio/')) return 'audio';
  if (type.startsWith('video/')) return 'video';
  return type.startsWith('text/') ? undefined : 'files';
}

/** Members that hold bytes or sealed state: no text that a model counts. */
const NO_TEXT = new Set([
  'data',
  'file_data',
  'url',
  'image_url',
  'signature',
  'encrypted_content',
  'thoughtSignature',
  'id',
  'type',
  'role',
  'mimeType',
  'mime_type',
  'media_type',
]);

interface Seen {
  readonly needs: Set<Need>;
  characters: number;
}

/** Looks through messages for what they hold; what is nested deeper than bodies may be is not there. */
function look(value: unknown, name: string, seen: Seen): void {
  if (typeof value === 'string') {
    if (!NO_TEXT.has(name)) seen.characters += value.length;
  } else if (Array.isArray(value)) {
    for (const one of value) look(one, name, seen);
  } else if (isObject(value)) {
    const { type, mimeType = value['mime_type'] } = value;
    const need = typeof type === 'string' && Object.hasOwn(BY_TYPE, type) ? BY_TYPE[type] : undefined;
    const media = typeof mimeType === 'string' ? byMediaType(mimeType) : undefined;
    if (need) seen.needs.add(need);
    if (media) seen.needs.add(media);
    for (const [member, inner] of Object.entries(value)) look(inner, member, seen);
  }
}

const at = (body: JsonObject, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), body);

function wantsTools(body: JsonObject): boolean {
  return [body['tools'], body['functions']].some((tools) => Array.isArray(tools) && tools.length > 0);
}

function wantsStructure(body: JsonObject): boolean {
  const types = [at(body, 'response_format', 'type'), at(body, 'text', 'format', 'type'), at(body, 'output_config', 'format', 'type')];
  const schemas = [at(body, 'output_format', 'schema'), at(body, 'generationConfig', 'responseSchema')];
  return types.includes('json_schema') || [...schemas, at(body, 'generationConfig', 'responseJsonSchema')].some(isObject);
}

function wantsReasoning(body: JsonObject): boolean {
  const effort = body['reasoning_effort'] ?? at(body, 'reasoning', 'effort');
  if (typeof effort === 'string' && effort !== 'none') return true;
  const thinking = at(body, 'thinking', 'type');
  if (thinking === 'enabled' || thinking === 'adaptive') return true;
  const budget = at(body, 'generationConfig', 'thinkingConfig', 'thinkingBudget');
  return (
    (typeof budget === 'number' && budget !== 0) || typeof at(body, 'generationConfig', 'thinkingConfig', 'thinkingLevel') === 'string'
  );
}

/** What answers are to be made of besides text, in any dialect's words. */
function wantedOutputs(body: JsonObject): readonly Need[] {
  const asked = [body['modalities'], at(body, 'generationConfig', 'responseModalities')].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const words = new Set(asked.map((word) => (typeof word === 'string' ? word.toLowerCase() : '')));
  return [...(words.has('image') ? (['imageOutput'] as const) : []), ...(words.has('audio') ? (['audioOutput'] as const) : [])];
}

/** The most tokens that an answer may have. */
function answerLimit(body: JsonObject): number | undefined {
  const said = [
    body['max_completion_tokens'],
    body['max_tokens'],
    body['max_output_tokens'],
    at(body, 'generationConfig', 'maxOutputTokens'),
  ];
  return said.find((limit): limit is number => typeof limit === 'number' && Number.isSafeInteger(limit) && limit > 0);
}

/** Where the dialects keep what a model reads. */
const READ = ['system', 'instructions', 'systemInstruction', 'messages', 'input', 'contents', 'prompt'];

/** More than a token has in most texts: one is not taken for longer than it is. */
export const CHARACTERS = 4;

/** What is to be read somewhere in a body: the abilities that it takes, and its tokens, counted low. `name`: the member that it stands in. */
export function contentOf(value: unknown, name: string): Pick<Needs, 'abilities'> & { readonly tokens: number } {
  const seen: Seen = { needs: new Set(), characters: 0 };
  look(value, name, seen);
  return { abilities: [...seen.needs], tokens: Math.floor(seen.characters / CHARACTERS) };
}

/** What a body needs of the model that it goes to, read in the words of any dialect. */
export function readNeeds(body: JsonObject): Needs {
  const seen: Seen = { needs: new Set(), characters: 0 };
  for (const name of READ) look(body[name], name, seen);
  if (wantsTools(body)) seen.needs.add('tools');
  if (wantsStructure(body)) seen.needs.add('structured');
  if (wantsReasoning(body)) seen.needs.add('reasoning');
  for (const need of wantedOutputs(body)) seen.needs.add(need);
  const answer = answerLimit(body);
  const tokens = Math.floor(seen.characters / CHARACTERS);
  return { abilities: [...seen.needs], tokens, ...(answer === undefined ? {} : { answer }) };
}
