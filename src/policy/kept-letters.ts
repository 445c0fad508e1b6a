import type { Ability, ProtocolId } from '../ir/index.ts';
import type { Candidate, ReasonCode } from './candidate.ts';
import type { Need } from './needs.ts';
import type { Failure } from './routes/route.ts';
import type { OutReason } from './signals.ts';

// Letters stand in files: one that was given away is never given to another meaning.

type Plain = Exclude<ReasonCode, `capability_missing:${string}`>;

const REASONS: { readonly [C in Plain]: string } = {
  alias: 'a',
  pattern: 'p',
  default: 'd',
  pinned_by_request: 'i',
  key_not_allowed: 'y',
  model_unsupported: 'u',
  disabled: 'x',
  fallback: 'f',
  hedge: 'h',
  provider_filter: 'o',
  data_retention: 'k',
  region_excluded: 'g',
  max_price: 'm',
  price_unknown: 'n',
  last_target: 'l',
  cache_hit: 'A',
  weight: 'w',
  round_robin: 'r',
  random: 'z',
  priority: 'P',
  least_busy: 'b',
  lowest_latency: 'q',
  lowest_cost: 'c',
  hash: 'H',
  sticky_session: 's',
  circuit_open: 'B',
  cooldown: 'W',
  unhealthy: 'U',
  credential_bad: 'K',
  quota_exhausted: 'Q',
  concurrency_full: 'F',
  local_rate_limit: 'M',
  context_too_long: 'L',
};

/** Before the letter of what is lacking, or the name of a parameter in parentheses. */
const LACKS = '~';

const ABILITIES: { readonly [W in Need | 'generate' | Ability]: string } = {
  tools: 't',
  vision: 'v',
  files: 'f',
  audio: 'a',
  video: 'm',
  structured: 's',
  reasoning: 'r',
  imageOutput: 'i',
  audioOutput: 'o',
  generate: 'g',
  embeddings: 'e',
  rerank: 'k',
  moderations: 'd',
  speech: 'p',
  transcription: 'c',
  translation: 'l',
  images: 'n',
  'image-edits': 'x',
  'image-variations': 'y',
  videos: 'b',
};

const PROTOCOLS: { readonly [P in ProtocolId]: string } = {
  'openai-chat': 'c',
  'openai-responses': 'r',
  'anthropic-messages': 'm',
  gemini: 'g',
  'openai-completions': 'l',
  'bedrock-converse': 'b',
};
/** There is no protocol. */
const NONE = '.';

const VERDICTS: { readonly [V in Candidate['verdict']]: string } = { chosen: '1', eligible: '+', rejected: '-' };

const FAILURES: { readonly [F in Failure]: string } = { context: 'c', refused: 'r', rateLimited: 'l', down: 'd' };

/** A table read the other way. */
const turned = <T extends string>(table: { readonly [W in T]: string }): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(table).map(([word, letter]) => [letter, word as T]));

const WORDS = {
  reasons: turned(REASONS),
  abilities: turned(ABILITIES),
  protocols: turned(PROTOCOLS),
  verdicts: turned(VERDICTS),
  failures: turned(FAILURES),
};

/** Abilities that a call needs, a letter each. */
export const needLetters = (needs: readonly Need[]): string => needs.map((need) => ABILITIES[need]).join('');

/** They again; letters that nothing stands for are left out. */
export const needsOf = (letters: string): readonly Need[] => [...letters].flatMap((letter) => (WORDS.abilities[letter] as Need) ?? []);

/** Why a target is out, as a letter. */
export const outLetter = (out: OutReason): string => REASONS[out];

/** It again. */
export const outOf = (letter: string): OutReason | undefined => WORDS.reasons[letter] as OutReason | undefined;

const isAbility = (name: string): name is keyof typeof ABILITIES => Object.hasOwn(ABILITIES, name);

function reasonLetters(reasons: readonly ReasonCode[]): string {
  let letters = '';
  for (const code of reasons) {
    const lack = code.slice('capability_missing:'.length);
    letters += Object.hasOwn(REASONS, code) ? REASONS[code as Plain] : LACKS + (isAbility(lack) ? ABILITIES[lack] : `(${lack})`);
  }
  return letters;
}

/** One reason: what is lacking by its letter or its name, or the letter of another. */
const REASON = /~(?:([a-z])|\(([\w.[\]-]*)\))|([A-Za-z])/y;

/** The reasons of letters; `undefined`: they are not ours. */
function reasonsOf(letters: string): readonly ReasonCode[] | undefined {
  const reasons: ReasonCode[] = [];
  for (REASON.lastIndex = 0; REASON.lastIndex < letters.length;) {
    const [, letter, name, plain] = REASON.exec(letters) ?? [];
    const lack = name ?? (letter === undefined ? undefined : WORDS.abilities[letter]);
    const code = plain === undefined ? lack && (`capability_missing:${lack}` as const) : WORDS.reasons[plain];
    if (!code) return undefined;
    reasons.push(code);
  }
  return reasons;
}

/** A candidate on a line, `1caw provider/model`: verdict, protocol, reasons, what it is kept for, and the name last, as it may hold anything. */
export function lineOf({ verdict, protocol, reasons, after, provider, model }: Candidate): string {
  const kept = after ? `:${after.map((failure) => FAILURES[failure]).join('')}` : '';
  return `${VERDICTS[verdict]}${protocol ? PROTOCOLS[protocol] : NONE}${reasonLetters(reasons)}${kept} ${provider}/${model}`;
}

/** The candidate of a line, but for its routes' timeouts, hedges and rooms; `undefined`: the line is not ours. */
export function candidateOf(line: string): Candidate | undefined {
  const [, sign = '', spoken = '', why = '', kept, provider = '', model = ''] =
    /^(.)(.)((?:[A-Za-z~]|\([\w.[\]-]*\))*)(?::([a-z]*))? ([^/]*)\/(.*)$/s.exec(line) ?? [];
  const verdict = WORDS.verdicts[sign];
  const reasons = reasonsOf(why);
  const protocol = WORDS.protocols[spoken];
  if (!verdict || !reasons || (!protocol && spoken !== NONE)) return undefined;
  return {
    provider,
    model,
    verdict,
    reasons,
    ...(protocol ? { protocol } : {}),
    ...(kept === undefined ? {} : { after: [...kept].flatMap((letter) => WORDS.failures[letter] ?? []) }),
  };
}
