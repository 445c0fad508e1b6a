/** What a provider can do besides chat. Each is a request and reply shape of its own, with codecs beside it in `src/media`. */
export type Ability =
  | 'embeddings'
  | 'rerank'
  | 'moderations'
  | 'speech'
  | 'transcription'
  /** Speech of any language into English text. */
  | 'translation'
  | 'images'
  | 'image-edits'
  | 'image-variations'
  | 'videos';
