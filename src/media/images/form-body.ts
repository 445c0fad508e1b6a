import { randomUUID } from 'node:crypto';
import type { MediaRequest } from '../codec.ts';
import type { ImageFile } from './shape.ts';

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
};

/** One part of a form: text, or an image. */
export type FormPiece = readonly [name: string, value: string | number | boolean | ImageFile | undefined];

/** A form with images, as the request of a codec. https://www.rfc-editor.org/rfc/rfc7578 */
export function formBody(pieces: readonly FormPiece[]): Required<Pick<MediaRequest, 'headers' | 'body'>> {
  const boundary = `pailou-${randomUUID()}`;
  const body: Buffer[] = [];
  for (const [name, value] of pieces) {
    if (value === undefined) continue;
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name.replaceAll(/["\r\n]/g, '')}"`;
    if (typeof value === 'object') {
      const file = `${name.replaceAll(/\W/g, '')}.${EXTENSIONS[value.mediaType] ?? 'bin'}`;
      body.push(Buffer.from(`${head}; filename="${file}"\r\ncontent-type: ${value.mediaType}\r\n\r\n`), value.data, Buffer.from('\r\n'));
    } else body.push(Buffer.from(`${head}\r\n\r\n${String(value)}\r\n`));
  }
  body.push(Buffer.from(`--${boundary}--\r\n`));
  return { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` }, body };
}
