import { badField, type JsonObject, MEDIA_NAMES, type MediaPart, wordTable } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { sniff } from '../openai-media.ts';

const refused = (what: string): never => {
  throw badField('messages', `Invalid request: ${what} cannot be sent to this model`, 'unsupported_content');
};

const isTextual = (mediaType: string): boolean =>
  /^text\/|[/+](json|xml|yaml|x-yaml|toml|javascript|x-sh|csv)$/.test(mediaType.split(';')[0] ?? '');

const USUAL = { image: 'image/png', audio: 'audio/wav', video: 'video/mp4', document: 'application/pdf' } as const;

const typeOf = (part: MediaPart, data: string): string => part.mediaType || sniff(data) || USUAL[part.media];

/** The part as an address: its own, or a data URI. Throws for what has neither. */
function address(part: MediaPart, context: TargetContext, own: boolean): string {
  const { source } = part;
  const takes = context.facts.media[part.media];
  if (takes === 'none' && !own) return refused(MEDIA_NAMES[part.media]);
  if (source.type === 'base64') return `data:${typeOf(part, source.data)};base64,${source.data}`;
  if (source.type === 'url') return takes === 'bytes' && !own ? refused(`${MEDIA_NAMES[part.media]} by its address`) : source.url;
  return refused(
    source.type === 'file' ? `a file that another provider keeps ('${source.id}')` : `${MEDIA_NAMES[part.media]} that is text`,
  );
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

function formatOf(mediaType: string): string {
  const subtype = mediaType.split(';')[0]?.split('/')[1] ?? 'wav';
  return FORMATS[subtype] ?? subtype;
}

function audio(part: MediaPart, context: TargetContext, own: boolean): JsonObject {
  const url = address(part, context, own);
  const { source } = part;
  const bare = source.type === 'base64' && context.facts.media.audio !== 'url';
  const format =
    part.mediaType !== undefined ? formatOf(part.mediaType) : source.type === 'base64' ? formatOf(typeOf(part, source.data)) : undefined;
  return { type: 'input_audio', input_audio: { data: bare ? source.data : url, ...(format === undefined ? {} : { format }) } };
}

/** The text of a document that is text; chat has no block for it. */
function textOfDocument({ source, mediaType }: MediaPart): string | undefined {
  if (source.type === 'text') return source.text;
  if (source.type !== 'base64' || mediaType === undefined || !isTextual(mediaType)) return undefined;
  return Buffer.from(source.data, 'base64').toString('utf8');
}

function textDocument(part: MediaPart, text: string, context: TargetContext): JsonObject {
  context.notes.add('messages', 'approximated', 'a document of text was sent as text');
  const title = part.title ?? part.filename;
  const opening = title === undefined ? '<document>' : `<document title=${JSON.stringify(title)}>`;
  return { type: 'text', text: `${opening}\n${text}\n</document>` };
}

function document(part: MediaPart, context: TargetContext, own: boolean): JsonObject {
  const { source } = part;
  const filename = part.filename ?? part.title;
  if (source.type === 'file' && source.by.startsWith('openai-')) {
    return { type: 'file', file: { file_id: source.id, ...(part.filename === undefined ? {} : { filename: part.filename }) } };
  }
  const text = own ? undefined : textOfDocument(part);
  if (text !== undefined) return textDocument(part, text, context);
  const file_data = address(part, context, own);
  // OpenAI asks for a name beside bytes.
  const name = filename ?? (source.type === 'base64' ? 'document.pdf' : undefined);
  return { type: 'file', file: { ...(name === undefined || (own && filename === undefined) ? {} : { filename: name }), file_data } };
}

/**
 * Writes media as a content part. `own`: the client speaks this dialect, and is taken at its word. Throws `GatewayError`
 * for what the target cannot be given: content is never left out in silence.
 */
export function encodeMedia(part: MediaPart, context: TargetContext, own: boolean): JsonObject {
  const { block, ...more } = residueOf(part);
  if (block !== undefined) return block as JsonObject;
  switch (part.media) {
    case 'image':
      return {
        ...more,
        type: 'image_url',
        image_url: { url: address(part, context, own), ...(part.detail === undefined ? {} : { detail: part.detail }) },
      };
    case 'audio':
      return { ...more, ...audio(part, context, own) };
    case 'video':
      return { ...more, type: 'video_url', video_url: { url: address(part, context, own) } };
    case 'document':
      return { ...more, ...document(part, context, own) };
  }
}
