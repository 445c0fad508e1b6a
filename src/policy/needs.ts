import type { ProtocolId } from '../ir/index.ts';
import type { Provider } from '../presets/preset.ts';
import { matchGlob } from './glob.ts';

/** What a model may be asked for beyond text. */
export const NEEDS = ['tools', 'vision', 'files', 'audio', 'video', 'structured', 'reasoning'] as const;

/** One of them. */
export type Need = (typeof NEEDS)[number];

/** What the operator says of models, over what is known of the provider. */
export type AbilitySettings = { readonly [N in Need]?: boolean } & {
  /** Tokens that fit, question and answer together. */
  readonly context?: number;
};

/** What a call needs of a target. */
export interface Needs {
  readonly abilities: readonly Need[];
  /** Tokens of the question, counted low. */
  readonly tokens?: number;
}

/** What goes on, if poorer, where no target has it: the encoders say what was lost. */
const SOFT: ReadonlySet<Need> = new Set(['structured', 'reasoning']);

/** Why a target will not do. */
export type Lack = `capability_missing:${string}` | 'context_too_long';

function operatorsWord(provider: Provider, model: string): AbilitySettings {
  let said: AbilitySettings = {};
  for (const [glob, settings] of Object.entries(provider.settings.abilities ?? {})) {
    if (matchGlob(glob, model)) said = { ...said, ...settings };
  }
  return said;
}

/** What is known of a provider's wire for a model. */
function presetsWord(provider: Provider, protocol: ProtocolId, model: string): AbilitySettings {
  const facts = provider.wires.get(protocol)?.factsOf(model);
  if (!facts) return {};
  return {
    vision: facts.media.image !== 'none',
    files: facts.media.document !== 'none',
    audio: facts.media.audio !== 'none',
    video: facts.media.video !== 'none',
    structured: facts.output === 'json-schema',
    reasoning: facts.reasoningControl !== 'none',
  };
}

/** What a target is known not to have of what is needed. */
export interface Lacking {
  /** Without these it would fail. */
  readonly hard: readonly Lack[];
  /** Without these it would answer, but worse. */
  readonly soft: readonly Lack[];
}

const NOTHING: Lacking = { hard: [], soft: [] };

/** What a target is known to lack. What nobody knows is not held against it. */
export function lackingOf(provider: Provider, protocol: ProtocolId, model: string, needs: Needs): Lacking {
  if (needs.abilities.length === 0 && needs.tokens === undefined) return NOTHING;
  const known = { ...presetsWord(provider, protocol, model), ...operatorsWord(provider, model) };
  const lacks = NEEDS.filter((need) => known[need] === false && needs.abilities.includes(need));
  const named = (some: readonly Need[]): readonly Lack[] => some.map((need): Lack => `capability_missing:${need}`);
  const tooLong = needs.tokens !== undefined && known.context !== undefined && needs.tokens > known.context;
  return {
    hard: [...named(lacks.filter((need) => !SOFT.has(need))), ...(tooLong ? (['context_too_long'] as const) : [])],
    soft: named(lacks.filter((need) => SOFT.has(need))),
  };
}
