/** When things happen, in milliseconds. */
export interface Pace {
  /** Before the response head. */
  readonly headMs: number;
  /** Before the first piece of the answer, the head being sent. */
  readonly firstMs: number;
  /** Between two pieces. */
  readonly betweenMs: number;
}

/** A way to fail. `after`: how many pieces of the answer come first; -1: not even its opening. */
export type Trouble =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: 'cut' | 'reset' | 'stall' | 'error' | 'garbage'; readonly after: number }
  /** An answer with a success status that is none. */
  | { readonly kind: 'error-in-200' | 'empty' }
  | { readonly kind: 'html'; readonly status: number }
  /** The connection is closed before any answer. */
  | { readonly kind: 'hang-up' };

/** What becomes of the work that was asked for. What is no task and goes wrong so is refused, or fails, at once. */
export interface Work {
  /** `refused`: not even begun. `failed`, `filtered`: in the middle. `stuck`: never done. */
  readonly end?: 'refused' | 'failed' | 'filtered' | 'stuck';
  /** How long a task takes; absent: as the pace has it. */
  readonly takesMs?: number;
}

/** What a sandbox model does, beside answering. */
export interface Behaviour {
  readonly voice: 'chat' | 'echo' | 'embed' | 'rerank' | 'speech' | 'transcribe' | 'image' | 'video';
  readonly pace: Pace;
  readonly trouble?: Trouble;
  readonly work: Work;
}

/** One word's share of a behaviour. */
export interface BehaviourChange {
  readonly voice?: Behaviour['voice'];
  readonly pace?: Partial<Pace>;
  readonly trouble?: Trouble;
  readonly work?: Work;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Longer than any deadline, and short enough for a timer (which takes 31 bits). */
const MAX_MS = 24 * 3_600_000;

/** Reads `250ms`, `3s`, `1.5s`, `2m`, `1h`; a bare number counts seconds. `undefined` when it is none or above a day. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text);
  if (!match) return undefined;
  const ms = Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000);
  return ms <= MAX_MS ? Math.round(ms) : undefined;
}

const SLOW: Pace = { headMs: 0, firstMs: 1000, betweenMs: 120 };
const AFTER = /^(cut|reset|stall|error|garbage)(?:-after-(\d{1,6}))?$/;

type Reader = (argument: string) => BehaviourChange | undefined;

function statusOf(text: string): number | undefined {
  const status = /^\d{3}$/.test(text) ? Number(text) : Number.NaN;
  return status >= 300 && status <= 599 ? status : undefined;
}

const withDuration =
  (make: (ms: number) => BehaviourChange): Reader =>
  (argument) => {
    const ms = parseDuration(argument);
    return ms === undefined ? undefined : make(ms);
  };

const withStatus =
  (make: (status: number) => BehaviourChange): Reader =>
  (argument) => {
    const status = statusOf(argument);
    return status === undefined ? undefined : make(status);
  };

/** Words that stand alone. */
const WORDS: Readonly<Record<string, BehaviourChange>> = {
  chat: {},
  echo: { voice: 'echo' },
  embed: { voice: 'embed' },
  rerank: { voice: 'rerank' },
  speech: { voice: 'speech' },
  transcribe: { voice: 'transcribe' },
  image: { voice: 'image' },
  video: { voice: 'video' },
  refused: { work: { end: 'refused' } },
  fail: { work: { end: 'failed' } },
  filtered: { work: { end: 'filtered' } },
  stuck: { work: { end: 'stuck' } },
  slow: { pace: SLOW },
  empty: { trouble: { kind: 'empty' } },
  html: { trouble: { kind: 'html', status: 200 } },
  'hang-up': { trouble: { kind: 'hang-up' } },
  'error-in-200': { trouble: { kind: 'error-in-200' } },
};

/** Words with an argument behind them, the longer prefix first. */
const PREFIXES: readonly (readonly [prefix: string, read: Reader])[] = [
  ['slow-first-token-', withDuration((firstMs) => ({ pace: { firstMs } }))],
  ['slow-headers-', withDuration((headMs) => ({ pace: { headMs } }))],
  ['slow-', withDuration((betweenMs) => ({ pace: { betweenMs } }))],
  ['takes-', withDuration((takesMs) => ({ work: { takesMs } }))],
  ['retry-after-', withDuration((retryAfterMs) => ({ trouble: { kind: 'status', status: 429, retryAfterMs } }))],
  ['status-', withStatus((status) => ({ trouble: { kind: 'status', status } }))],
  ['html-', withStatus((status) => ({ trouble: { kind: 'html', status } }))],
];

/** What one word asks for (`cut-after-3`, `slow`); `undefined` when it says nothing here. */
export function readWord(word: string): BehaviourChange | undefined {
  if (Object.hasOwn(WORDS, word)) return WORDS[word];
  const after = AFTER.exec(word);
  if (after) return { trouble: { kind: after[1] as 'cut', after: Number(after[2] ?? -1) } };
  for (const [prefix, read] of PREFIXES) if (word.startsWith(prefix)) return read(word.slice(prefix.length));
  return undefined;
}

/** The behaviour with a change laid over it. */
export function changed(behaviour: Behaviour, change: BehaviourChange): Behaviour {
  const { voice, pace, trouble, work } = change;
  return {
    voice: voice ?? behaviour.voice,
    pace: { ...behaviour.pace, ...pace },
    work: { ...behaviour.work, ...work },
    ...(trouble ? { trouble } : behaviour.trouble ? { trouble: behaviour.trouble } : {}),
  };
}

const PLAIN: Behaviour = { voice: 'chat', pace: { headMs: 0, firstMs: 0, betweenMs: 0 }, work: {} };

/** Models of media say the rest of their name with a hyphen too: `video-slow`, `image-status-429`. */
const MEDIA = /^(speech|transcribe|image|video)-(?=.)/;

/** A model's name without what names the provider, as it is on a wire: `sandbox/echo`, `models/echo` → `echo`. */
export const bareModel = (model: string): string => model.replace(/^models\//, '').replace(/^sandbox\//, '');

/**
 * What a model's name asks for: one word (`cut-after-3`), or several joined by `+` (`slow+cut-after-3`, `video+slow`).
 * `undefined`: there is no such model.
 */
export function behaviourOf(model: string): Behaviour | undefined {
  let behaviour = PLAIN;
  for (const word of bareModel(model).replace(MEDIA, '$1+').split('+')) {
    const change = readWord(word);
    if (!change) return undefined;
    behaviour = changed(behaviour, change);
  }
  return behaviour;
}
