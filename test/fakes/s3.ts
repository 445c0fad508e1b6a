import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A bucket on loopback that checks signatures and remembers objects. */
export interface FakeS3 {
  readonly url: string;
  readonly objects: Map<string, { readonly data: Buffer; readonly mediaType: string }>;
  /** Uploads in parts that are neither complete nor given up. */
  readonly uploads: Map<string, Map<number, Buffer>>;
  /** The status of the next so many answers, instead of the right one. */
  failNext: { times: number; status: number; on?: string };
  close(): Promise<void>;
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** As S3 does: every octet but letters, digits and `-._~`. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Why a signature is not good; `undefined`: it is. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function wrongSignature(request: IncomingMessage, body: Buffer, secret: string): string | undefined {
  const { authorization = '', 'x-amz-date': date, 'x-amz-content-sha256': hash } = request.headers;
  const [, id, day = '', region = '', service = '', names = '', given] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/.exec(
      authorization,
    ) ?? [];
  if (id !== 'AKID' || typeof date !== 'string') return 'no signature';
  if (hash !== sha256(body)) return 'the hash is of another body';
  const url = new URL(request.url ?? '/', 'http://x');
  const query = [...url.searchParams].map(([key, value]) => `${encode(key)}=${encode(value)}`).sort();
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`);
  const canonical = [request.method, url.pathname, query.join('&'), headers.join(''), names, hash].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [region, service, 'aws4_request'].reduce<Buffer>((so, part) => hmac(so, part), hmac(`AWS4${secret}`, day));
  if (service !== 's3' || !names.split(';').includes('host')) return 'another service, or the host is not signed';
  return hmac(key, toSign).toString('hex') === given ? undefined : 'the signature does not match';
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => resolve(Buffer.concat(pieces)));
  });
}

interface Said {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** What a bucket holds. */
interface Bucket extends Pick<FakeS3, 'objects' | 'uploads'> {
  /** Of uploads in parts, by their ids. */
  readonly types: Map<string, string>;
  /** Uploads in parts until now. */
  count: number;
}

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const etagOf = (data: Buffer): string => sha256(data).slice(0, 32);

/** Objects that are put, read (in part), and removed. */
function answerWhole({ objects }: Bucket, { method, url: { pathname: path }, headers, body }: Asked): Said {
  const found = objects.get(path);
  if (method === 'PUT') {
    objects.set(path, { data: body, mediaType: headers['content-type'] ?? '' });
    return { status: 200, headers: { etag: `"${etagOf(body)}"` } };
  }
  if (method === 'DELETE') {
    objects.delete(path);
    return { status: 204 };
  }
  if (!found) return { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' };
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  const data = found.data.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
  return { status: headers.range === undefined ? 200 : 206, headers: { 'content-type': found.mediaType }, body: data };
}

/** An upload in parts: begun, a part of it put, given up, completed. https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html */
function answerInParts(bucket: Bucket, { method, url, headers, body }: Asked): Said {
  const { uploads, types } = bucket;
  if (method === 'POST' && url.searchParams.has('uploads')) {
    const id = `up+${(bucket.count += 1)}/=`;
    uploads.set(id, new Map());
    types.set(id, headers['content-type'] ?? '');
    return { status: 200, body: `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>` };
  }
  const upload = url.searchParams.get('uploadId') ?? '';
  const parts = uploads.get(upload);
  if (!parts) return { status: 404, body: '<Error><Code>NoSuchUpload</Code></Error>' };
  if (method === 'PUT') {
    parts.set(Number(url.searchParams.get('partNumber')), body);
    return { status: 200, headers: { etag: `"${etagOf(body)}"` } };
  }
  uploads.delete(upload);
  if (method === 'DELETE') return { status: 204 };
  const data = completed(parts, body.toString());
  if (!data) return { status: 400, body: '<Error><Code>InvalidPart</Code></Error>' };
  bucket.objects.set(url.pathname, { data, mediaType: types.get(upload) ?? '' });
  return { status: 200, body: '<CompleteMultipartUploadResult/>' };
}

/** The parts that a list names, one after the other; `undefined`: they are not those that came. */
function completed(parts: ReadonlyMap<number, Buffer>, list: string): Buffer | undefined {
  const listed = [...list.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>&quot;([0-9a-f]+)&quot;<\/ETag>/g)];
  const isRight =
    listed.length === parts.size && listed.every(([, number, tag]) => sha256(parts.get(Number(number)) ?? '').startsWith(tag ?? '-'));
  return isRight ? Buffer.concat(listed.map(([, number]) => parts.get(Number(number)) ?? Buffer.alloc(0))) : undefined;
}

/** Whether this answer is one of those that fail. */
function takeFailure({ failNext }: FakeS3, url: string): boolean {
  const isFailed = failNext.times > 0 && (failNext.on === undefined || url.includes(failNext.on));
  if (isFailed) failNext.times -= 1;
  return isFailed;
}

export async function startS3(secret: string): Promise<FakeS3> {
  const bucket: Bucket = { objects: new Map(), uploads: new Map(), types: new Map(), count: 0 };
  const { objects, uploads } = bucket;
  const fake: FakeS3 = { url: '', objects, uploads, failNext: { times: 0, status: 500 }, close: () => Promise.resolve() };
  const answer = (request: IncomingMessage, body: Buffer): Said => {
    const { method = '', url: target = '/', headers } = request;
    const wrong = wrongSignature(request, body, secret);
    const isFailed = takeFailure(fake, target);
    if (wrong) return { status: 403, body: `<Error><Code>SignatureDoesNotMatch</Code><Message>${wrong}</Message></Error>` };
    if (isFailed) return { status: fake.failNext.status };
    const url = new URL(target, 'http://x');
    const isInParts = url.searchParams.has('uploads') || url.searchParams.has('uploadId');
    return (isInParts ? answerInParts : answerWhole)(bucket, { method, url, headers, body });
  };
  const server = createServer(async (request, response) => {
    const said = answer(request, await bodyOf(request));
    response.writeHead(said.status, said.headers ?? {}).end(said.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
