import type { ProtocolId } from '../ir/index.ts';
import type { ImageRule } from './image-tokens.ts';
import type { Channel, Shape } from './outline.ts';
import type { TextFacts } from './text-facts.ts';
import type { Encoding } from './text-job.ts';
import type { ToolStyle } from './tool-text.ts';

/** What is counted in a request: things of its shape, and facts of the texts of each channel. */
export type Feature = keyof Shape | `${Channel}.${keyof TextFacts}`;

/** Parts of requests that a family may not be counted with. */
export type Kind = 'tools' | 'serial' | 'schemas' | 'documents' | 'thinking' | 'thoughts' | 'seals' | 'scripts';

/**
 * Models that are told apart by their name and count alike. `weights` are tokens for each unit of a feature: of the vendor's
 * rules where it has told them, else measured against recorded counts (`test/corpus/count.ts` holds them to their bounds).
 */
export interface Family {
  readonly name: string;
  /** Looked for in the model's id without its maker's prefix, in lower case, dots as dashes. */
  readonly models: RegExp;
  /** Only for models called in this protocol; absent: in any. */
  readonly on?: ProtocolId;
  readonly encoding: Encoding;
  readonly tools: ToolStyle;
  readonly weights: { readonly [F in Feature]?: number };
  /** Absent: images are not counted. */
  readonly image?: ImageRule;
  /** What no recorded counts show to hold. */
  readonly refuses: readonly Kind[];
  /** The same, for models called in one protocol. */
  readonly refusesOver?: { readonly [P in ProtocolId]?: readonly Kind[] };
  /** Below so many tokens a hidden one more or less breaks the bounds. */
  readonly least?: number;
}

/** `vertex/claude-sonnet-4.5@20250929` → `claude-sonnet-4-5@20250929`: the name that families are told by. */
export function plainName(model: string): string {
  const last = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  return last.replaceAll('.', '-');
}

/** The family that a model belongs to, if it is one that is known. */
export const familyOf = (families: readonly Family[], model: string, on: ProtocolId): Family | undefined => {
  const name = plainName(model);
  return families.find((family) => (family.on === undefined || family.on === on) && family.models.test(name));
};
