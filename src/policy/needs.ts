import type { Ability } from '../ir/index.ts';
import type { ModelFacts } from './models/model-facts.ts';

/** What a model may be asked for beyond text in and text out. */
export const NEEDS = ['tools', 'vision', 'files', 'audio', 'video', 'structured', 'reasoning', 'imageOutput', 'audioOutput'] as const;

/** One of them. */
export type Need = (typeof NEEDS)[number];

/** What is said of a model's abilities. */
export type AbilitySettings = { readonly [N in Need]?: boolean } & {
  /** Tokens that fit, question and answer together. */
  readonly context?: number;
};

/** What a call needs of a target. */
export interface Needs {
  readonly abilities: readonly Need[];
  /** Tokens of the question, counted low; of several that are read one by one (vectors, moderations), of the longest. */
  readonly tokens?: number;
  /** Tokens that the answer may have, where the call says so. */
  readonly answer?: number;
  /** Parameters that targets are known to refuse, and that they would leave out; the latter where nothing may be left out. */
  readonly refused?: ByTarget;
  readonly lost?: ByTarget;
  /** What is too long may be cut where it goes to: that is the target's to say. */
  readonly maybeCut?: boolean;
}

/** Many providers cut what is too long for these. */
const CUT: ReadonlySet<'generate' | Ability> = new Set(['embeddings', 'moderations', 'rerank']);

/** Names of parameters by `provider/model`. */
type ByTarget = Readonly<Record<string, readonly string[]>>;

/** What a model takes and makes for an ability, whatever else is said: some wires are there for all models of a provider, those for text among them. */
const MODALITIES: { readonly [A in Ability]?: readonly Need[] } = {
  images: ['imageOutput'],
  'image-edits': ['vision', 'imageOutput'],
  'image-variations': ['vision', 'imageOutput'],
  speech: ['audioOutput'],
  transcription: ['audio'],
  translation: ['audio'],
};

/** What a call needs, with what its operation does in any case. */
export function neededFor(operation: 'generate' | Ability, needs: Needs): Needs {
  if (CUT.has(operation)) return { ...needs, maybeCut: true };
  const always = operation === 'generate' ? undefined : MODALITIES[operation];
  return always ? { ...needs, abilities: [...always, ...needs.abilities] } : needs;
}

/** What goes on, if poorer, where no target has it: the encoders say what was lost. */
const SOFT: ReadonlySet<Need> = new Set(['structured', 'reasoning']);

/** Why a target will not do: it lacks an ability, or has no place for a parameter, by the name that its caller gave it. */
export type Lack = `capability_missing:${string}` | 'context_too_long';

/** What a target is known not to have of what is needed. */
export interface Lacking {
  /** Without these it would fail. */
  readonly hard: readonly Lack[];
  /** Without these it would answer, but worse. */
  readonly soft: readonly Lack[];
  /** With these it would refuse the call, if it does not cut it, and say why: where all would, it is better left to say so. */
  readonly refused: readonly Lack[];
}

const NOTHING: Lacking = { hard: [], soft: [], refused: [] };

const named = (some: readonly string[]): readonly Lack[] => some.map((name): Lack => `capability_missing:${name}`);

/** What a target (`provider/model`) is known to lack. What nobody knows is not held against it. */
export function lackingOf({ abilities, context }: ModelFacts, needs: Needs, target: string): Lacking {
  const refused = needs.refused?.[target] ?? [];
  const lost = needs.lost?.[target] ?? [];
  const lacks = NEEDS.filter((need) => abilities[need]?.value === false && needs.abilities.includes(need));
  const isTooLong = needs.tokens !== undefined && context !== undefined && needs.tokens > context.value;
  if (lacks.length === 0 && !isTooLong && refused.length === 0 && lost.length === 0) return NOTHING;
  const tooLong: readonly Lack[] = isTooLong ? ['context_too_long'] : [];
  return {
    hard: [...named(lacks.filter((need) => !SOFT.has(need))), ...(needs.maybeCut === true ? [] : tooLong)],
    soft: [...named(lacks.filter((need) => SOFT.has(need))), ...named(lost)],
    refused: [...(needs.maybeCut === true ? tooLong : []), ...named(refused)],
  };
}
