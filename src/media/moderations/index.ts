import type { WholeCodec } from '../codec.ts';
import { mistralModerations } from './mistral.ts';
import { openaiModerations } from './openai.ts';
import type { ModerationsReply, ModerationsRequest } from './shape.ts';

/** Who can be asked for moderations, by the name that presets use. */
export const moderationsCodecs: ReadonlyMap<string, WholeCodec<ModerationsRequest, ModerationsReply>> = new Map(
  [openaiModerations, mistralModerations].map((codec) => [codec.id, codec]),
);
