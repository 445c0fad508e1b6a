import { openaiVideos } from './openai.ts';
import type { VideoCodec } from './shape.ts';

/** Who makes videos, by the name that presets use. */
export const videoCodecs: ReadonlyMap<string, VideoCodec> = new Map([openaiVideos].map((codec) => [codec.id, codec]));
