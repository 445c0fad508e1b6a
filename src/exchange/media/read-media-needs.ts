import { type Ability, isObject, type JsonObject } from '../../ir/index.ts';
import type { Need, Needs } from '../../policy/needs.ts';
import { CHARACTERS, contentOf } from '../read-needs.ts';

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);

const memberOf = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);

const isText = (value: unknown): value is string => typeof value === 'string';

/** What is read by itself, one by one. Tokens are one, and so are parts that are judged together. */
function questionsIn(ability: Ability, { input, content, requests, instances }: JsonObject): readonly unknown[] {
  const inputs = listOf(input);
  const areApart = ability === 'embeddings' && inputs.every(isObject);
  const areMany = inputs.length > 0 && (areApart || inputs.every((one) => isText(one) || Array.isArray(one)));
  const nested = [...listOf(requests), ...listOf(instances)].map((one) => memberOf(one, 'content'));
  return [...(areMany ? inputs : [input]), content, ...nested].filter((one) => one !== undefined);
}

const isTokens = (value: unknown): value is readonly number[] => Array.isArray(value) && typeof value[0] === 'number';

/** Members that hold what is read as text. What others hold are pictures, names, or words for the provider. */
const TEXT: ReadonlySet<string> = new Set(['text', 'content']);

const isPicture = (text: string): boolean => /^data:[\w.+/-]+;base64,/.test(text.slice(0, 100));

/** The characters of it that are read as text. */
function charactersIn(value: unknown, name = 'text'): number {
  if (isText(value)) return TEXT.has(name) && !isPicture(value) ? value.length : 0;
  if (Array.isArray(value)) return value.reduce((sum: number, one: unknown) => sum + charactersIn(one, name), 0);
  if (!isObject(value)) return 0;
  return Object.entries(value).reduce((sum, [member, inner]) => sum + charactersIn(inner, member), 0);
}

const tokensIn = (value: unknown): number => Math.floor(charactersIn(value) / CHARACTERS);

/** The longest of what is read one by one, and what any of it needs. */
function longestOf(questions: readonly unknown[]): Needs {
  const abilities = new Set<Need>();
  let tokens = 0;
  for (const question of questions) {
    const read = contentOf(question, 'content');
    for (const need of read.abilities) abilities.add(need);
    tokens = Math.max(tokens, isTokens(question) ? question.length : tokensIn(question));
  }
  return { abilities: [...abilities], tokens };
}

/** A query is read with each document, and of a document no more than the call allows. */
function rankedTokens({ query, documents, max_tokens_per_doc: most }: JsonObject): number {
  const longest = listOf(documents).reduce<number>((longer, one) => Math.max(longer, tokensIn(one)), 0);
  return tokensIn(query) + Math.min(longest, typeof most === 'number' ? most : longest);
}

/** Where the dialects keep what a voice, or who draws, is told. */
const TOLD = ['input', 'instructions', 'contents', 'systemInstruction', 'prompt', 'negative_prompt'];

function toldTokens(body: JsonObject): number {
  const prompts = listOf(body['instances']).map((one) => memberOf(one, 'prompt'));
  return contentOf([...TOLD.map((name) => body[name]), ...prompts], 'prompt').tokens;
}

/** What a call for an ability besides chat needs of a model beyond that ability, read in the words of any dialect. */
export function readMediaNeeds(ability: Ability, body: JsonObject): Needs {
  if (ability === 'embeddings' || ability === 'moderations') return longestOf(questionsIn(ability, body));
  if (ability === 'rerank') return { abilities: [], tokens: rankedTokens(body) };
  return { abilities: [], tokens: toldTokens(body) };
}
