import { SPEECH_ROWS } from './audio-speech-rows.ts';
import { TRANSCRIPTION_ROWS } from './audio-transcription-rows.ts';
import { EMBEDDINGS_ROWS } from './embeddings-rows.ts';
import { IMAGES_ROWS } from './images-rows.ts';
import type { MediaRow } from './media-row.ts';
import { MODERATIONS_ROWS } from './moderations-rows.ts';
import { RERANK_ROWS } from './rerank-rows.ts';
import { VIDEOS_ROWS } from './videos-rows.ts';

/** All abilities besides chat that are held by a table: what `docs/providers.md` lists. */
export const MEDIA_ROWS: readonly MediaRow[] = [
  ...EMBEDDINGS_ROWS,
  ...RERANK_ROWS,
  ...MODERATIONS_ROWS,
  ...IMAGES_ROWS,
  ...VIDEOS_ROWS,
  ...SPEECH_ROWS,
  ...TRANSCRIPTION_ROWS,
];
