import { badField, type JsonObject, type MediaPart, wordTable } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cameAsFile, withoutMark } from './content-decode.ts';
import { residueOf } from './dialect.ts';
import { sniff } from '../openai-media.ts';

const refused = (what: string): never => {
  throw badField('input', `Invalid request: ${what} cannot be sent to this model`, 'unsupported_content');
};

const isTextual = (mediaType: string): boolean =>
  /^text\/|[/+](json|xml|yaml|x-yaml|toml|javascript|x-sh|csv)$/.test(mediaType.split(';')[0] ?? '');

const USUAL = { image: 'image/png', audio: 'audio/wav', video: 'video/mp4', document: 'application/pdf' } as const;

const typeOf = (part: MediaPart, data: string): string => part.mediaType || sniff(data) || USUAL[part.media];

const named = (part: MediaPart): string =>
  part.media === 'image' ? 'an image' : part.media === 'audio' ? 'audio' : part.media === 'video' ? 'a video' : 'a document';

/** Refuses what the target cannot be given in that form. */
function check(part: MediaPart, context: TargetContext, own: boolean): void {
  if (own) return;
  const takes = context.facts.media[part.media];
  if (takes === 'none') refused(named(part));
  if (part.source.type === 'url' && takes === 'bytes') refused(`${named(part)} by its address`);
}

const isOurFile = ({ source }: MediaPart): boolean => source.type === 'file' && source.by.startsWith('openai-');

function image(part: MediaPart): JsonObject {
  const { source, detail = 'auto' } = part;
  if (source.type === 'file')
    return isOurFile(part)
      ? { type: 'input_image', detail, file_id: source.id }
      : refused(`a file that another provider keeps ('${source.id}')`);
  if (source.type === 'text') return refused('an image that is text');
  const image_url = source.type === 'url' ? source.url : `data:${typeOf(part, source.data)};base64,${source.data}`;
  return { type: 'input_image', detail, image_url };
}

/** The words of `input_audio.format`. */
const FORMATS: Readonly<Record<string, string>> = wordTable({
  mpeg: 'mp3',
  mp3: 'mp3',
  wav: 'wav',
  'x-wav': 'wav',
  wave: 'wav',
  'x-m4a': 'm4a',
  mp4: 'm4a',
});

function audio(part: MediaPart): JsonObject {
  const { source } = part;
  if (source.type === 'file' || source.type === 'text') return refused('audio that is no sound');
  const data = source.type === 'url' ? source.url : source.data;
  const subtype = (source.type === 'url' ? part.mediaType : typeOf(part, data))?.split(';')[0]?.split('/')[1];
  return { type: 'input_audio', input_audio: { data, ...(subtype === undefined ? {} : { format: FORMATS[subtype] ?? subtype }) } };
}

/** The text of a document that is text: this wire has no block for it. */
function textOfDocument({ source, mediaType }: MediaPart): string | undefined {
  if (source.type === 'text') return source.text;
  if (source.type !== 'base64' || mediaType === undefined || !isTextual(mediaType)) return undefined;
  return Buffer.from(source.data, 'base64').toString('utf8');
}

function textDocument(part: MediaPart, text: string, context: TargetContext): JsonObject {
  context.notes.add('input', 'approximated', 'a document of text was sent as text');
  const title = part.title ?? part.filename;
  const opening = title === undefined ? '<document>' : `<document title=${JSON.stringify(title)}>`;
  return { type: 'input_text', text: `${opening}\n${text}\n</document>` };
}

function document(part: MediaPart, own: boolean): JsonObject {
  const { source } = part;
  const filename = part.filename ?? part.title;
  const name = filename === undefined ? {} : { filename };
  if (source.type === 'file')
    return isOurFile(part)
      ? { type: 'input_file', file_id: source.id, ...name }
      : refused(`a file that another provider keeps ('${source.id}')`);
  if (source.type === 'url') return { type: 'input_file', file_url: source.url, ...(own ? name : {}) };
  if (source.type === 'text') return refused('a document that is text');
  // OpenAI asks for a name beside bytes.
  const given = filename === undefined && !own ? { filename: 'document.pdf' } : name;
  return { type: 'input_file', ...given, file_data: `data:${typeOf(part, source.data)};base64,${source.data}` };
}

/**
 * Writes media as a content part. `own`: the client speaks this dialect, and is taken at its word. Throws `GatewayError`
 * for what the target cannot be given: content is never left out in silence.
 */
export function encodeMedia(part: MediaPart, context: TargetContext, own: boolean): JsonObject {
  const rest = residueOf(part);
  const more = withoutMark(rest);
  if (cameAsFile(rest)) return { ...more, ...document(part, own) };
  const text = own || part.media !== 'document' ? undefined : textOfDocument(part);
  if (text !== undefined) return textDocument(part, text, context);
  if (!isOurFile(part)) check(part, context, own);
  switch (part.media) {
    case 'image':
      return { ...more, ...image(part) };
    case 'audio':
      return { ...more, ...audio(part) };
    case 'document':
      return { ...more, ...document(part, own) };
    case 'video':
      return refused('a video');
  }
}
