import type { MediaPart } from '../ir/index.ts';
import type { Language } from './conversation.ts';
import { imageSize } from '../media/image-size.ts';
import { fileKind } from './media-facts.ts';

const KINDS: Readonly<Record<MediaPart['media'], Readonly<Record<Language, string>>>> = {
  image: { en: 'an image', zh: '一张图片' },
  audio: { en: 'a sound', zh: '一段音频' },
  video: { en: 'a video', zh: '一段视频' },
  document: { en: 'a file', zh: '一个文件' },
};

/** What the bytes say of themselves: pixels of an image, the format of a file. */
function factsOf(bytes: Buffer): readonly string[] {
  const size = imageSize(bytes);
  if (size) return [size.format, `${size.width}×${size.height}`];
  const kind = fileKind(bytes);
  return kind === undefined ? [] : [kind];
}

function sourceFacts(part: MediaPart, language: Language): readonly string[] {
  const { source } = part;
  const bytes = language === 'zh' ? '字节' : 'bytes';
  switch (source.type) {
    case 'base64': {
      const data = Buffer.from(source.data, 'base64');
      return [...factsOf(data), `${data.length} ${bytes}`];
    }
    case 'text':
      return [`${Buffer.byteLength(source.text)} ${bytes}`];
    case 'url':
      return [`URL ${source.url.slice(0, 200)}`];
    case 'file':
      return [`id ${source.id}`];
  }
}

/** One file in words: `an image (image/png, PNG, 2×1, 70 bytes)`. */
export function describeMedia(part: MediaPart, language: Language): string {
  const facts = [...(part.mediaType === undefined ? [] : [part.mediaType]), ...sourceFacts(part, language)];
  const name = part.filename ?? part.title;
  const what = KINDS[part.media][language] + (name === undefined ? '' : language === 'zh' ? `“${name}”` : ` "${name}"`);
  return language === 'zh' ? `${what}（${facts.join('，')}）` : `${what} (${facts.join(', ')})`;
}
