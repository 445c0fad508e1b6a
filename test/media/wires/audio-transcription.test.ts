import { describe, expect, it } from 'vitest';
import type { ClientSink } from '../../../src/exchange/client-sink.ts';
import type { MediaContext } from '../../../src/exchange/media/media-exchange.ts';
import { transcribe, type Upload } from '../../../src/exchange/media/transcription.ts';
import { readAsked } from '../../../src/http/gateway/media/transcription.ts';
import { presets } from '../../../src/presets/index.ts';
import type { UpstreamRequest } from '../../../src/upstream/send.ts';
import { FILE, sentFields, TRANSCRIPTION_ROWS, type TranscriptionRow } from './audio-transcription-rows.ts';
import { callWhole, type Canned, type Outcome } from './call-whole.ts';
import { wireOf, wiresOf } from './media-row.ts';

interface Written {
  readonly contentType: string;
  readonly text: string;
}

async function written(context: MediaContext, upload: Upload): Promise<Written> {
  let text = '';
  let contentType = '';
  const add = (bytes: Buffer | string = ''): boolean => {
    text += bytes.toString();
    return true;
  };
  const sink: ClientSink = {
    begun: false,
    closed: false,
    begin: (_status, headers) => void (contentType = String(headers['content-type'])),
    write: add,
    end: (bytes) => void add(bytes),
    abort() {},
    onGone() {},
    onDrain() {},
  };
  await transcribe({ ...context, sink }, upload);
  return { contentType, text };
}

const run = (row: TranscriptionRow, canned: Canned): Promise<Outcome<Written>> => {
  const known = readAsked(row.ability === 'translation' ? 'translate' : 'transcribe', sentFields(row));
  const { filename, mediaType, data } = FILE;
  async function* bytes(): AsyncGenerator<Buffer> {
    yield data;
  }
  const upload: Upload = {
    filename,
    mediaType,
    bytes: bytes(),
    length: data.length,
    known,
    rest: () => Promise.resolve(known),
    settled: () => Promise.resolve({ bytes: bytes(), length: data.length, known }),
    onEvents() {},
  };
  return callWhole({ ...row, prefers: ({ wire }) => wire === wireOf(row) }, canned, (context) => written(context, upload));
};

/** A form as it went out: its fields in order, a file as `@name type bytes`. */
async function formOf({ stream, headers }: UpstreamRequest): Promise<[string, string][]> {
  const pieces: Buffer[] = [];
  for await (const piece of stream?.bytes ?? []) pieces.push(piece);
  const body = Buffer.concat(pieces);
  expect(body.length).toBe(stream?.length);
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData();
  return [...form].map(([name, value]) => [name, typeof value === 'string' ? value : `@${value.name} ${value.type} ${value.size}`]);
}

describe.each(TRANSCRIPTION_ROWS.map((row) => [`${row.preset} ${row.ability} ${row.model}`, row] as const))('%s', (_name, row) => {
  it('is asked as its page says, and understood', async () => {
    const { sent, found, fault, record } = await run(row, {
      status: 200,
      body: row.reply,
      headers: { 'content-type': row.replyType ?? 'application/json' },
    });
    expect(fault).toBeUndefined();
    expect(sent.map(({ method, origin, path }) => `${method} ${origin}${path}`)).toEqual([`POST ${row.url}`]);
    const [request] = sent;
    const { 'content-type': type, ...headers } = { ...request?.headers };
    expect(headers).toEqual(row.headers);
    if (row.bytes && request) expect([request.stream?.length, type]).toEqual([FILE.data.length, FILE.mediaType]);
    else if (row.form && request)
      expect([await formOf(request), type]).toEqual([row.form, expect.stringMatching(/^multipart\/form-data; boundary=/)]);
    else expect([JSON.parse(Buffer.concat(request?.body ?? []).toString()), type]).toEqual([row.body, 'application/json']);
    expect(found?.contentType).toBe(row.contentType);
    expect(typeof row.written === 'string' ? found?.text : JSON.parse(found?.text ?? '')).toEqual(row.written);
    expect(record?.input ?? 0).toBe(row.input ?? 0);
    expect(record?.notes).toBe(row.notes);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    const { fault } = await run(row, { status, body });
    expect(fault).toMatchObject({ kind, message: expect.stringContaining(message) as string });
  });
});

describe('the table', () => {
  it('has a row for every wire', () => {
    const covered = new Set(TRANSCRIPTION_ROWS.map((row) => wireOf(row)));
    const missing = [...presets.keys()].flatMap((id) =>
      (['transcription', 'translation'] as const).flatMap((ability) =>
        wiresOf(id, ability).flatMap((wire) => (covered.has(wire) ? [] : [`${id} ${ability} ${wire.codec}`])),
      ),
    );
    // The sandbox is tested with its server.
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual([]);
  });
});
