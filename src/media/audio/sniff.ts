import { badField, type GatewayError } from '../../ir/index.ts';

/** What a file's first bytes say it is. https://en.wikipedia.org/wiki/List_of_file_signatures */
const SIGNATURES: readonly (readonly [string, (head: string) => boolean])[] = [
  ['audio/wav', (head) => /^(?:RIFF|RF64).{4}WAVE/s.test(head)],
  ['audio/mpeg', (head) => head.startsWith('ID3') || /^\xff[\xe2\xe3\xf2\xf3\xf4\xf5\xfa\xfb\xfc\xfd]/.test(head)],
  ['audio/aac', (head) => /^\xff[\xf0\xf1\xf8\xf9]/.test(head)],
  ['audio/flac', (head) => head.startsWith('fLaC')],
  ['audio/ogg', (head) => head.startsWith('OggS')],
  ['audio/mp4', (head) => /^.{4}ftyp/s.test(head)],
  ['audio/webm', (head) => head.startsWith('\x1a\x45\xdf\xa3')],
  ['audio/aiff', (head) => /^FORM.{4}AIF/s.test(head)],
  ['audio/amr', (head) => head.startsWith('#!AMR')],
];

/** Names that say it, where the bytes do not. */
const ENDINGS: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  mpga: 'audio/mpeg',
  mpeg: 'audio/mpeg',
  m4a: 'audio/mp4',
  mp4: 'audio/mp4',
  aac: 'audio/aac',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  webm: 'audio/webm',
  aiff: 'audio/aiff',
  amr: 'audio/amr',
};

/** How many of a file's first bytes are looked at. */
export const HEAD_BYTES = 16;

/** The shortest file that could be a sound in any format. */
const MIN_BYTES = 8;

/** What is known of a file before it is read. */
export interface NamedFile {
  readonly filename?: string;
  readonly mediaType?: string;
}

const refused = (message: string, code: string): GatewayError => badField('file', `Invalid request: ${message}`, code);

/**
 * The type of a file of sound, by its bytes, its type or its name; `undefined` where nothing says what it is. Throws the 400
 * for what cannot be one.
 */
export function audioTypeOf(head: Buffer, { filename, mediaType }: NamedFile): string | undefined {
  if (head.length === 0) throw refused("the file in 'file' is empty", 'empty_file');
  if (head.length < MIN_BYTES) {
    throw refused(`the file in 'file' is too short to be audio (${head.length} bytes)`, 'invalid_file');
  }
  const text = head.toString('latin1');
  const byBytes = SIGNATURES.find(([, fits]) => fits(text))?.[0];
  if (byBytes !== undefined) return byBytes;
  const ending = /\.(\w{2,5})$/.exec(filename ?? '')?.[1]?.toLowerCase();
  const byName = ending === undefined ? undefined : ENDINGS[ending];
  if (mediaType !== undefined && /^(?:audio|video)\//.test(mediaType)) return byName ?? mediaType;
  if (byName !== undefined) return byName;
  if (ending === undefined && mediaType === undefined) return undefined;
  throw refused(`the file in 'file' is no audio. Known: ${Object.keys(ENDINGS).join(', ')}`, 'unsupported_file');
}

/** A name for a file that has none: providers tell formats by it. */
export function filenameFor(type: string | undefined): string {
  const ending = Object.entries(ENDINGS).find(([, one]) => one === type)?.[0];
  return ending === undefined ? 'audio' : `audio.${ending}`;
}
