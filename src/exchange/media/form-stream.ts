import type { MediaStream } from '../../media/codec.ts';

/** A form that is written as it is read. */
export interface StreamedForm {
  readonly contentType: string;
  readonly stream: MediaStream;
}

/** A file of a form, which is read once. */
export interface StreamedFile {
  readonly name: string;
  readonly filename: string;
  readonly mediaType?: string;
  readonly bytes: AsyncIterable<Buffer>;
  readonly length?: number;
}

/** Fields beside the file. */
export type Fields = readonly (readonly [string, string])[];

/** https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
const escaped = (name: string): string => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');

async function* inOrder(head: Buffer, file: AsyncIterable<Buffer>, tail: () => Buffer | Promise<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* file;
  yield await tail();
}

/**
 * A form of one file: `before` it, and behind it what `after` gives once it was read. Where `after` is a list and the file's
 * length is known, so is the form's.
 */
export function streamedForm(boundary: string, before: Fields, file: StreamedFile, after: Fields | (() => Promise<Fields>)): StreamedForm {
  const written = (fields: Fields): string =>
    fields.map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${escaped(name)}"\r\n\r\n${value}\r\n`).join('');
  const type = file.mediaType === undefined ? '' : `\r\nContent-Type: ${file.mediaType.replaceAll(/[\r\n]/g, '')}`;
  const disposition = `Content-Disposition: form-data; name="${file.name}"; filename="${escaped(file.filename)}"`;
  const head = Buffer.from(`${written(before)}--${boundary}\r\n${disposition}${type}\r\n\r\n`);
  const tail = (fields: Fields): Buffer => Buffer.from(`\r\n${written(fields)}--${boundary}--\r\n`);
  const known = typeof after === 'function' ? undefined : tail(after);
  const end = async (): Promise<Buffer> => known ?? tail(typeof after === 'function' ? await after() : after);
  const length = known && file.length !== undefined ? head.length + file.length + known.length : undefined;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    stream: { bytes: inOrder(head, file.bytes, end), ...(length === undefined ? {} : { length }) },
  };
}
