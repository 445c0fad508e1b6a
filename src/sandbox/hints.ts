import { isObject, type Json, parseObject } from '../ir/index.ts';

/** What a prompt, and the results of tools, offer to fill a schema with. */
export interface Hints {
  readonly text: string;
  /** Values by name, from JSON objects in the text and in tool results. */
  readonly values: ReadonlyMap<string, Json>;
  /** Words in quotes. */
  readonly quoted: readonly string[];
  readonly numbers: readonly number[];
  /** Names of places, as far as the wording gives them away. */
  readonly places: readonly string[];
}

const CITIES = '北京|上海|广州|深圳|杭州|南京|成都|重庆|武汉|西安|天津|苏州|香港|台北|东京|首尔|巴黎|伦敦|纽约|柏林|悉尼|新加坡';

function placesIn(text: string): readonly string[] {
  const places: string[] = [];
  const named = /\b(?:in|at|for|of|to|from|near|and|or)\s+((?:\p{Lu}[\p{L}'-]+)(?:\s+\p{Lu}[\p{L}'-]+)*)/gu;
  for (const match of text.matchAll(named)) if (match[1] !== undefined) places.push(match[1]);
  for (const match of text.matchAll(/,\s*(\p{Lu}[\p{L}'-]+)(?=\s*(?:,|and\b|or\b))/gu)) if (match[1] !== undefined) places.push(match[1]);
  for (const match of text.matchAll(new RegExp(CITIES, 'gu'))) places.push(match[0]);
  return [...new Set(places)];
}

/** Gathers the named members of a value, the outer ones first. */
function gather(value: Json | undefined, into: Map<string, Json>, depth = 0): void {
  if (depth > 6 || value === undefined) return;
  if (Array.isArray(value)) for (const one of (value as readonly Json[]).slice(0, 20)) gather(one, into, depth + 1);
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) if (member !== undefined && !into.has(key)) into.set(key, member);
  for (const member of Object.values(value)) gather(member, into, depth + 1);
}

/** What of a prompt is looked at for names and numbers. */
const MAX_READ = 4000;

/** Reads a prompt (and texts of tool results) for what arguments and answers may be filled with. */
export function readHints(prompt: string, results: readonly string[] = []): Hints {
  const text = prompt.slice(0, MAX_READ);
  const values = new Map<string, Json>();
  for (const result of results) gather(parseObject(result), values);
  const from = text.indexOf('{');
  if (from >= 0) gather(parseObject(text.slice(from, text.lastIndexOf('}') + 1)), values);
  return {
    text,
    values,
    quoted: [...text.matchAll(/"([^"\n]{1,200})"|“([^“”\n]{1,200})”|「([^「」\n]{1,200})」/g)].map(
      (match) => match[1] ?? match[2] ?? match[3] ?? '',
    ),
    numbers: [...text.matchAll(/(?<![\w.])-?\d{1,15}(?:\.\d{1,10})?(?![\w])/g)].map((match) => Number(match[0])),
    places: placesIn(text),
  };
}
