const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

/** What files begin with. `....` stands for four bytes of any kind. */
const SIGNATURES: readonly (readonly [mediaType: string, signature: string])[] = [
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF87a'],
  ['image/gif', 'GIF89a'],
  ['image/webp', 'RIFF....WEBP'],
  ['image/avif', '....ftypavif'],
  ['image/heic', '....ftypheic'],
  ['application/pdf', '%PDF-'],
  ['audio/wav', 'RIFF....WAVE'],
  ['audio/mpeg', 'ID3'],
  ['audio/ogg', 'OggS'],
  ['audio/flac', 'fLaC'],
  ['audio/mp4', '....ftypM4A '],
  ['video/mp4', '....ftypisom'],
  ['video/mp4', '....ftypmp42'],
  ['video/webm', '\x1a\x45\xdf\xa3'],
];

const begins = (head: string, signature: string): boolean => [...signature].every((letter, at) => letter === '.' || letter === head[at]);

/** The media type of a file: what its bytes say, else what its server said. Servers err more often, and providers look at the bytes. */
export function mediaTypeOf(data: Buffer, contentType: string | undefined): string {
  const head = data.toString('latin1', 0, 16);
  const found = SIGNATURES.find(([, signature]) => begins(head, signature));
  if (found) return found[0];
  const said = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return TYPE.test(said) ? said : 'application/octet-stream';
}
