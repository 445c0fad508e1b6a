import { dashscopeVideos } from './dashscope.ts';
import { klingVideos } from './kling.ts';
import { lumaVideos } from './luma.ts';
import { minimaxVideos } from './minimax.ts';
import { openaiVideos } from './openai.ts';
import { runwayVideos } from './runway.ts';
import type { VideoCodec } from './shape.ts';
import { veoVideos } from './veo.ts';
import { volcengineVideos } from './volcengine.ts';
import { xaiVideos } from './xai.ts';
import { zaiVideos } from './zai.ts';

const ALL: readonly VideoCodec[] = [
  openaiVideos,
  veoVideos,
  xaiVideos,
  dashscopeVideos,
  zaiVideos,
  volcengineVideos,
  minimaxVideos,
  klingVideos,
  runwayVideos,
  lumaVideos,
];

/** Who makes videos, by the name that presets use. */
export const videoCodecs: ReadonlyMap<string, VideoCodec> = new Map(ALL.map((codec) => [codec.id, codec]));
