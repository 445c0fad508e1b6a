// Every regular expression of the sources on long evil texts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { parseAst } from 'vitest/node';
import { type Measured, ms, type Part } from './part.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SIZE = 100_000;
const LIMIT_MS = 5;
/** A pattern that runs longer is stopped: it would run for hours. */
const STOP_MS = 400;

/** A regular expression as the sources write it. */
interface Pattern {
  readonly where: string;
  readonly source: string;
  readonly flags: string;
}

function* patternsIn(node: unknown): Iterable<{ readonly pattern: string; readonly flags: string; readonly start: number }> {
  if (typeof node !== 'object' || node === null) return;
  const { regex, start } = node as { readonly regex?: { readonly pattern: string; readonly flags: string }; readonly start?: number };
  if (regex) yield { ...regex, start: start ?? 0 };
  else for (const value of Object.values(node)) yield* patternsIn(value);
}

/** All that the program's own files hold. */
export function patternsOfSources(): readonly Pattern[] {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .flatMap((path) => {
      const text = readFileSync(join(ROOT, 'src', path), 'utf8');
      const found = [...patternsIn(parseAst(text, { lang: 'ts' }))];
      return found.map(({ pattern, flags, start }) => ({
        where: `src/${path}:${text.slice(0, start).split('\n').length}`,
        source: pattern,
        flags,
      }));
    });
}

/** What is repeated in evil texts whatever the pattern is. */
const PUMPS = [
  'a',
  'A',
  '0',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '-',
  '_',
  '.',
  '/',
  '\\',
  '"',
  "'",
  '=',
  ',',
  ':',
  ';',
  '%',
  '<',
  '>',
  '{',
  '[',
  '(',
  '+',
  'a ',
  'a.',
  'a,',
  '0a',
  'é',
  '牌',
  '🏮',
  '\0',
  '{"a":',
  '[[',
  '--',
  '**',
  '![](',
  '<a',
  'data:',
];

/** Texts of a size that repeat one thing, with an end that most patterns refuse; and what the pattern itself speaks of. */
function evilTexts(source: string, size: number): readonly string[] {
  const words = source.match(/[A-Za-z0-9_:/.-]{2,}/g) ?? [];
  const signs = [...new Set(source.replaceAll(/\\[dwsbDWSB]|[A-Za-z0-9]/g, ''))];
  const pumps = [...new Set([...PUMPS, ...words, ...signs, ...words.map((word) => `${word} `)])];
  const first = words[0] ?? '';
  const long = (pump: string): string => pump.repeat(Math.ceil(size / pump.length)).slice(0, size);
  const begun = signs.flatMap((before) => signs.map((sign) => `${before}${long(sign)}\u0001`));
  return [...pumps.flatMap((pump) => [`${long(pump)}\u0001`, `${first}${long(pump)}\u0001`]), ...begun];
}

/** What a pattern took at most, and on what. */
interface Found {
  readonly pattern: Pattern;
  readonly ms: number;
  readonly on: string;
}

const SEARCH = new Script('pattern.lastIndex = 0; pattern.exec(text)');

/** Finds the text on which a pattern takes longest; each is given three chances, as a machine may be busy. */
export function slowest(pattern: Pattern, size = SIZE, limit = LIMIT_MS): Found {
  const context = createContext({ pattern: new RegExp(pattern.source, pattern.flags), text: '' });
  let worst: Found = { pattern, ms: 0, on: '' };
  for (const text of evilTexts(pattern.source, size)) {
    context['text'] = text;
    let best = Infinity;
    for (let chance = 0; chance < 3 && best > limit; chance++) {
      const began = process.threadCpuUsage().user;
      try {
        SEARCH.runInContext(context, { timeout: STOP_MS });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      }
      best = Math.min(best, (process.threadCpuUsage().user - began) / 1000);
    }
    if (best > worst.ms) worst = { pattern, ms: best, on: JSON.stringify(text.slice(0, 12)) };
    if (best > STOP_MS / 4) break;
  }
  return worst;
}

async function* rows(): AsyncIterable<Measured> {
  const found = patternsOfSources().map((pattern) => slowest(pattern));
  const slow = found.filter((one) => one.ms > LIMIT_MS).toSorted((a, b) => b.ms - a.ms);
  const told = slow.map(({ pattern, ms: took, on }) => `${pattern.where} ${ms(took)} on ${on}…`);
  const detail = told.join('; ');
  const value = Math.max(...found.map((one) => one.ms));
  yield { promise: 'hostile.patterns', value, many: found.length, isKept: slow.length === 0, ...(detail === '' ? {} : { detail }) };
}

export const patterns: Part = { name: 'patterns', rows };
