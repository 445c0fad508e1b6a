import { gatewayFault, GatewayError } from '../ir/index.ts';
import type { Send, UpstreamRequest } from '../upstream/send.ts';
import { fetchStream } from '../upstream/fetch-stream.ts';
import { fetchWhole, type WholeAnswer } from '../upstream/fetch-whole.ts';
import type { Blobs } from './media-store.ts';

/** What a bucket is reached by. */
interface S3Ports {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly send: Send;
  /** Headers that sign a request (SigV4). */
  readonly sign: (
    request: Pick<UpstreamRequest, 'origin' | 'method' | 'path' | 'headers' | 'body'>,
  ) => Promise<Readonly<Record<string, string>>>;
}

/** The smallest part of an upload in parts is 5 MiB. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const PART_BYTES = 8 * 1024 * 1024;
const MAX_ANSWER = 256 * 1024;
const TIMEOUTS = { connect: 10_000, headers: 60_000, idle: 60_000 };
const TOTAL_MS = 120_000;

const trouble = (what: string, status: number): GatewayError =>
  new GatewayError(
    gatewayFault('overloaded', `The storage of media ${what} (HTTP ${status})`, { code: 'media_unavailable', retryAfterMs: 5000 }),
  );

/** What stands in an element; answers of S3 are small and their values hold no markup. */
const element = (xml: string, name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

const unescaped = (text: string): string => text.replaceAll('&quot;', '"').replaceAll('&amp;', '&');

async function* nothing(): AsyncGenerator<Buffer> {}

/** Joins what comes into pieces of `PART_BYTES`; the last is smaller. */
async function* parts(source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source) {
    waiting.push(piece);
    bytes += piece.length;
    while (bytes >= PART_BYTES) {
      const all = Buffer.concat(waiting, bytes);
      yield all.subarray(0, PART_BYTES);
      waiting = [all.subarray(PART_BYTES)];
      bytes -= PART_BYTES;
    }
  }
  yield Buffer.concat(waiting, bytes);
}

type Headers = Readonly<Record<string, string>>;

/** What is asked of a bucket: a method, a path below its root, a body and headers. */
type Asked = readonly [method: string, path: string, body?: readonly Buffer[], headers?: Headers];

/** The way to one bucket. */
interface Bucket {
  request(...asked: Asked): Promise<UpstreamRequest>;
  ask(...asked: Asked): Promise<WholeAnswer>;
  /** The same; throws where it is refused, with words for what could not be done. */
  done(what: string, ...asked: Asked): Promise<WholeAnswer>;
}

/** Objects are addressed by path. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html */
function openBucket({ endpoint, bucket, prefix, send, sign }: S3Ports): Bucket {
  const { origin, pathname } = new URL(endpoint);
  const root = `${pathname.replace(/(?<!\/)\/+$/, '')}/${bucket}/${prefix}`;
  const request: Bucket['request'] = async (method, path, body = [], headers = {}) => {
    const plain = { origin, method, path: root + path, headers, body };
    return { ...plain, headers: { ...headers, ...(await sign(plain)) }, timeouts: TIMEOUTS };
  };
  const ask: Bucket['ask'] = async (...asked) => fetchWhole(send, await request(...asked), MAX_ANSWER, TOTAL_MS);
  return {
    request,
    ask,
    async done(what, ...asked) {
      const answer = await ask(...asked);
      if (answer.status < 200 || answer.status > 299) throw trouble(what, answer.status);
      return answer;
    },
  };
}

const NOT_TAKEN = 'does not take a file';
const NOT_COMPLETED = 'does not complete a file';

/** Writes the parts of an upload that has begun; their tags, and how many bytes they are. */
async function putParts({ done }: Bucket, id: string, query: string, first: Buffer, rest: AsyncIterator<Buffer>) {
  const tags: string[] = [];
  let bytes = 0;
  for (let part: Buffer | undefined = first; part;) {
    if (part.length > 0) {
      const { headers } = await done(NOT_TAKEN, 'PUT', `${id}?partNumber=${tags.length + 1}&${query}`, [part]);
      tags.push(String(headers['etag'] ?? ''));
      bytes += part.length;
    }
    const next: IteratorResult<Buffer> = await rest.next();
    part = next.done === true ? undefined : next.value;
  }
  return { tags, bytes };
}

async function complete({ done }: Bucket, id: string, query: string, tags: readonly string[]): Promise<void> {
  const list = tags.map((tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag.replaceAll('"', '&quot;')}</ETag></Part>`);
  const whole = Buffer.from(`<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`);
  const answer = await done(NOT_COMPLETED, 'POST', `${id}?${query}`, [whole], { 'content-type': 'application/xml' });
  // An error may come with 200 here.
  if (answer.body.includes('<Error>')) throw trouble(NOT_COMPLETED, answer.status);
}

/** An object in parts; its size in bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
async function writeParts(bucket: Bucket, id: string, first: Buffer, rest: AsyncIterator<Buffer>, mediaType: string): Promise<number> {
  const begun = await bucket.done(NOT_TAKEN, 'POST', `${id}?uploads=`, [], { 'content-type': mediaType });
  const upload = element(begun.body.toString('utf8'), 'UploadId');
  if (upload === undefined) throw trouble('began no upload', begun.status);
  const query = `uploadId=${encodeURIComponent(unescaped(upload))}`;
  try {
    const { tags, bytes } = await putParts(bucket, id, query, first, rest);
    await complete(bucket, id, query, tags);
    return bytes;
  } catch (error) {
    await bucket.ask('DELETE', `${id}?${query}`).catch(() => undefined);
    throw error;
  }
}

/** Media as the objects of a bucket. */
export function createMediaS3(ports: S3Ports): Blobs {
  const bucket = openBucket(ports);
  return {
    async write(id, source, mediaType) {
      const pieces = parts(source)[Symbol.asyncIterator]();
      const first = await pieces.next();
      const head: Buffer = first.done === true ? Buffer.alloc(0) : first.value;
      if (head.length >= PART_BYTES) return writeParts(bucket, id, head, pieces, mediaType);
      await bucket.done(NOT_TAKEN, 'PUT', id, [head], { 'content-type': mediaType });
      return head.length;
    },
    async read(id, { from, to }, _isFleeting, signal = new AbortController().signal) {
      if (to < from) return nothing();
      const request = await bucket.request('GET', id, [], { range: `bytes=${from}-${to}` });
      const { status, body } = await fetchStream(ports.send, request, signal);
      if (status === 206 || (status === 200 && from === 0)) return body;
      body.destroy();
      throw trouble('does not give a file', status);
    },
    async delete(id) {
      const { status } = await bucket.ask('DELETE', id);
      if (status >= 300 && status !== 404) throw trouble('does not delete a file', status);
    },
  };
}
