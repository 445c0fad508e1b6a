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
}

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
  const always = operation === 'generate' ? undefined : MODALITIES[operation];
  return always ? { ...needs, abilities: [...always, ...needs.abilities] } : needs;
}

/** What goes on, if poorer, where no target has it: the encoders say what was lost. */
const SOFT: ReadonlySet<Need> = new Set(['structured', 'reasoning']);

/** Why a target will not do. */
export type Lack = `capability_missing:${Need | 'generate' | Ability}` | 'context_too_long';

/** What a target is known not to have of what is needed. */
export interface Lacking {
  /** Without these it would fail. */
  readonly hard: readonly Lack[];
  /** Without these it would answer, but worse. */
  readonly soft: readonly Lack[];
}

const NOTHING: Lacking = { hard: [], soft: [] };

/** What a target is known to lack. What nobody knows is not held against it. */
export function lackingOf({ abilities, context }: ModelFacts, needs: Needs): Lacking {
  const lacks = NEEDS.filter((need) => abilities[need]?.value === false && needs.abilities.includes(need));
  const isTooLong = needs.tokens !== undefined && context !== undefined && needs.tokens > context.value;
  if (lacks.length === 0 && !isTooLong) return NOTHING;
  const named = (some: readonly Need[]): readonly Lack[] => some.map((need): Lack => `capability_missing:${need}`);
  return {
    hard: [...named(lacks.filter((need) => !SOFT.has(need))), ...(isTooLong ? (['context_too_long'] as const) : [])],
    soft: named(lacks.filter((need) => SOFT.has(need))),
  };
}
