import { type BehaviourChange, parseDuration, readWord } from './behaviour.ts';

/** A call that a prompt asks for by `[[call name {json}]]`. */
export interface AskedCall {
  readonly name: string;
  /** As it was written: JSON text, or free text for a custom tool. Absent: the sandbox fills the arguments itself. */
  readonly input?: string;
}

/** What a prompt says to the sandbox in double brackets, and what remains of it without. */
export interface Directives {
  readonly text: string;
  readonly calls: readonly AskedCall[];
  /** The thought to have; empty: one of its own. */
  readonly think?: string;
  /** The answer to give, word for word. */
  readonly say?: string;
  /** An answer of so many words. */
  readonly words?: number;
  readonly refuse: boolean;
  readonly filter: boolean;
  /** Report the sealed state that came back. */
  readonly seals: boolean;
  readonly changes: readonly BehaviourChange[];
}

type Found = { -readonly [K in keyof Directives]: Directives[K] } & { calls: AskedCall[]; changes: BehaviourChange[] };

/** Where JSON text that begins at `from` with `{` ends (after its last brace); -1 when it does not. */
function endOfObject(text: string, from: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) return at + 1;
  }
  return -1;
}

/** Where a directive that begins at `from` closes (before its `]]`); an object inside may hold brackets itself. */
function endOfDirective(text: string, from: number): number {
  const close = text.indexOf(']]', from);
  const brace = text.indexOf('{', from);
  if (close < 0 || brace < 0 || brace > close) return close;
  const after = endOfObject(text, brace);
  return after < 0 ? close : text.indexOf(']]', after);
}

/** `[[fail cut-after-3]]`, `[[fail status=429 retry-after=2]]`, several words together. */
function readFailure(argument: string): readonly BehaviourChange[] | undefined {
  const changes: BehaviourChange[] = [];
  let status: number | undefined;
  let retryAfterMs: number | undefined;
  for (const word of argument.split(/\s+/).filter(Boolean)) {
    const [name, value] = word.split('=', 2);
    if (name === 'retry-after' && value !== undefined) retryAfterMs = parseDuration(value);
    else if (name === 'status' && value !== undefined) {
      const read = readWord(`status-${value}`)?.trouble;
      if (read?.kind !== 'status') return undefined;
      status = read.status;
    } else {
      const change = readWord(word);
      if (!change) return undefined;
      changes.push(change);
    }
  }
  if (status !== undefined || retryAfterMs !== undefined || changes.length === 0) {
    const usual = retryAfterMs === undefined ? 500 : 429;
    changes.push({ trouble: { kind: 'status', status: status ?? usual, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } });
  }
  return changes;
}

/** `[[task 30s]]`, `[[task fail]]`, `[[task stuck 5s]]`: how long work takes, and what becomes of it. */
function readTask(argument: string): readonly BehaviourChange[] | undefined {
  const changes = argument
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => readWord(/^\d/.test(word) ? `takes-${word}` : word));
  const works = changes.flatMap((change) => (change?.work ? [change] : []));
  return works.length > 0 && works.length === changes.length ? works : undefined;
}

function readCall(argument: string): AskedCall | undefined {
  const match = /^(\S+?)(?:\s+([\s\S]*))?$/.exec(argument);
  if (!match) return undefined;
  const [, name = '', input = ''] = match;
  return input.trim() === '' ? { name } : { name, input: input.trim() };
}

const MAX_WORDS = 100_000;
/** Brackets that are looked into: each may mean reading to the end of the text. */
const MAX_LOOKED_AT = 256;

/** Takes one directive; `false` when it is none of ours and stays in the text. */
function take(found: Found, word: string, argument: string): boolean {
  switch (word) {
    case 'call': {
      const call = readCall(argument);
      if (call) found.calls.push(call);
      return call !== undefined;
    }
    case 'fail': {
      const changes = readFailure(argument);
      found.changes.push(...(changes ?? []));
      return changes !== undefined;
    }
    case 'task': {
      const changes = readTask(argument);
      found.changes.push(...(changes ?? []));
      return changes !== undefined;
    }
    case 'think':
      found.think = argument;
      return true;
    case 'say':
      found.say = argument;
      return true;
    case 'words': {
      const words = Number(argument);
      const fits = Number.isInteger(words) && words > 0 && words <= MAX_WORDS;
      if (fits) found.words = words;
      return fits;
    }
    case 'refuse':
    case 'filter':
    case 'seals':
      found[word] = true;
      return argument === '';
    default:
      return false;
  }
}

/** Reads what stands in double brackets. What is not understood stays in the text. */
export function readDirectives(text: string): Directives {
  const found: Found = { text: '', calls: [], refuse: false, filter: false, seals: false, changes: [] };
  let rest = '';
  let from = 0;
  let looks = MAX_LOOKED_AT;
  for (let open = text.indexOf('[['); open >= 0 && looks-- > 0; open = text.indexOf('[[', from)) {
    const close = endOfDirective(text, open + 2);
    if (close < 0) break;
    const match = /^([a-z-]+)(?:\s+([\s\S]*))?$/.exec(text.slice(open + 2, close).trim());
    const taken = match?.[1] !== undefined && take(found, match[1], match[2] ?? '');
    rest += text.slice(from, taken ? open : open + 2);
    from = taken ? close + 2 : open + 2;
  }
  rest += text.slice(from);
  return { ...found, text: rest.trim() };
}
