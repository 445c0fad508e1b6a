import type { Ability, JsonObject } from '../../../src/ir/index.ts';
import { presets } from '../../../src/presets/index.ts';
import type { MediaWire, ProviderSettings } from '../../../src/presets/preset.ts';
import { isServed } from '../../../src/presets/provider.ts';

/** What every row of an ability has: whose wire it is, and where that is written. `docs/providers.md` lists what has a row. */
export interface MediaRow {
  readonly preset: string;
  readonly ability: Ability;
  /** Which of the preset's wires, where several serve the model: the codec's name. */
  readonly codec?: string;
  /** A model of the wire. */
  readonly model: string;
  /** The vendor's page that was read for it. */
  readonly page: string;
}

/** An error of the provider's, and what a client is told of it. */
export interface MediaRefusal {
  readonly status: number;
  readonly body: JsonObject | string;
  readonly kind: string;
  readonly message: string;
}

/** A row of an ability that is asked with one request and answered with one reply. */
export interface WholeRow extends MediaRow {
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset'>;
  readonly url: string;
  /** All but `content-type`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  readonly reply: JsonObject;
  readonly replyHeaders?: Readonly<Record<string, string>>;
  readonly refusal: MediaRefusal;
  /** `field;what` pairs. */
  readonly notes?: string;
}

/** The wires of a preset for an ability. */
export const wiresOf = (preset: string, ability: Ability): readonly MediaWire[] => [presets.get(preset)?.media?.[ability] ?? []].flat();

/** The wire that a row is about. */
export function wireOf({ preset, ability, codec, model }: MediaRow): MediaWire {
  const wire = wiresOf(preset, ability).find((one) => (codec === undefined || one.codec === codec) && isServed(one.models, model));
  if (!wire) throw new Error(`${preset} has no wire of ${ability} for ${model}`);
  return wire;
}
