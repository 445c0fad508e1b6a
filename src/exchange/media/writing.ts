import { createNotes, type Notes } from '../../ir/index.ts';
import type { MediaTarget } from '../../media/codec.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import type { Asking } from './choose-media.ts';

/** A target with what does the work there. */
export interface Chosen {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly model: string;
}

/** What does the work at a provider: the wire that is best for the call. */
export function chosenAt(call: Asking, provider: Provider, model: string): Chosen {
  const able = provider.media.filter((one) => one.ability === call.ability && one.serves(model));
  const media = (call.prefers && able.find(call.prefers)) ?? able[0];
  if (!media) throw new Error(`provider '${provider.name}' has no ${call.ability}`);
  return { provider, media, model };
}

/** A target that something is written for. */
export interface Writing extends Chosen {
  readonly notes: Notes;
  /** What codecs are told of the target. */
  readonly target: MediaTarget;
}

/** What a codec needs to write for a target. */
export function writingAt({ provider, media, model }: Chosen, newId: (prefix: string) => string): Writing {
  const notes = createNotes();
  return { provider, media, model, notes, target: { model, options: media.wire.options ?? {}, settings: provider.values, notes, newId } };
}
