/**
 * What a provider can do besides chat. Each is a request and reply shape of its own, with codecs beside it in `src/media`.
 * `translation` is speech of any language into English text.
 */
export const ABILITIES = [
  'embeddings',
  'rerank',
  'moderations',
  'speech',
  'transcription',
  'translation',
  'images',
  'image-edits',
  'image-variations',
  'videos',
] as const;

/** One of them. */
export type Ability = (typeof ABILITIES)[number];
