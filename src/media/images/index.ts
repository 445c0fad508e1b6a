import { bflImages } from './bfl.ts';
import { chatImages } from './chat.ts';
import { dashscopeImages } from './dashscope.ts';
import { fireworksImages } from './fireworks.ts';
import { geminiImages } from './gemini.ts';
import { imagenImages } from './imagen.ts';
import { openaiImages } from './openai.ts';
import type { ImageCodec } from './shape.ts';
import { siliconflowImages } from './siliconflow.ts';
import { stabilityImages } from './stability.ts';
import { togetherImages } from './together.ts';
import { volcengineImages } from './volcengine.ts';
import { xaiImages } from './xai.ts';
import { zaiImages } from './zai.ts';

const ALL: readonly ImageCodec[] = [
  openaiImages,
  geminiImages,
  imagenImages,
  xaiImages,
  dashscopeImages,
  zaiImages,
  siliconflowImages,
  volcengineImages,
  stabilityImages,
  bflImages,
  togetherImages,
  fireworksImages,
  chatImages,
];

/** Who can be asked for images, by the name that presets use. */
export const imageCodecs: ReadonlyMap<string, ImageCodec> = new Map(ALL.map((codec) => [codec.id, codec]));
