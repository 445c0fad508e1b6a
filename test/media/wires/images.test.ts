import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeImages } from '../../../src/exchange/media/images.ts';
import type { MediaContext } from '../../../src/exchange/media/media-exchange.ts';
import type { ImageFile, ImageReply, ImageRequest } from '../../../src/media/images/shape.ts';
import { presets } from '../../../src/presets/index.ts';
import type { UpstreamRequest } from '../../../src/upstream/send.ts';
import { callWhole, type Canned, type Outcome } from './call-whole.ts';
import { ASKED, IMAGES_ROWS, type ImagesRow, PNG } from './images-rows.ts';
import { wireOf, wiresOf } from './media-row.ts';

const IMAGE: ImageFile = { data: Buffer.from(PNG, 'base64'), mediaType: 'image/png', at: 'image' };

const requestOf = ({ ability, asked }: ImagesRow): ImageRequest => ({
  ...ASKED,
  task: ability === 'images' ? 'generation' : ability === 'image-edits' ? 'edit' : 'variation',
  ...(ability === 'image-variations' ? { prompt: '' } : {}),
  images: ability === 'images' ? [] : [IMAGE],
  ...asked,
});

const run = async (row: ImagesRow, canned: Canned): Promise<Outcome<ImageReply>> => {
  const done = callWhole(row, canned, (context: MediaContext) => makeImages(context, requestOf(row)));
  const state = { over: false };
  void done.finally(() => (state.over = true));
  // Jobs are asked for from time to time.
  while (!state.over) await vi.advanceTimersByTimeAsync(10_000);
  return done;
};

const lineOf = ({ method, origin, path }: UpstreamRequest): string => `${method} ${origin}${path}`;
const textOf = ({ body }: UpstreamRequest): string => Buffer.concat(body).toString('latin1');

/** The parts of a form, files by their types. */
function partsOf(request: UpstreamRequest): readonly (readonly string[])[] {
  const boundary = /boundary=(.+)$/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
  const pieces = textOf(request).split(`--${boundary}`);
  expect(pieces.at(-1)).toBe('--\r\n');
  return pieces.slice(1, -1).map((piece) => {
    const [head = '', ...value] = piece.slice(2, -2).split('\r\n\r\n');
    const type = /content-type: (.+)/.exec(head)?.[1];
    const text = value.join('\r\n\r\n');
    if (type !== undefined) expect(Buffer.from(text, 'latin1').toString('base64')).toBe(PNG);
    return [/name="([^"]*)"/.exec(head)?.[1] ?? '', type === undefined ? text : `(${type})`];
  });
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe.each(IMAGES_ROWS.map((row, index) => [`${index} ${row.preset} ${row.model} ${row.ability}`, row] as const))('%s', (_name, row) => {
  it('is asked as its page says, and understood', async () => {
    const replies = [row.reply, ...(row.job ?? []).map(({ reply }) => reply)];
    let at = 0;
    const { sent, found, fault, record } = await run(row, { status: 200, body: '', answer: () => replies[at++] ?? {} });
    expect(fault).toBeUndefined();
    expect(sent.map(lineOf)).toEqual([`POST ${row.url}`, ...(row.job ?? []).map(({ request }) => request)]);
    const [first] = sent;
    if (!first) throw new Error('nothing was sent');
    const { 'content-type': type, ...headers } = { ...first.headers };
    expect(headers).toEqual(row.headers);
    if (row.form) {
      expect(type).toMatch(/^multipart\/form-data; boundary=/);
      expect(partsOf(first)).toEqual(row.form);
    } else {
      expect(type).toBe('application/json');
      expect(JSON.parse(textOf(first))).toEqual(row.body);
    }
    expect(sent.slice(1).map((one) => (one.body.length > 0 ? JSON.parse(textOf(one)) : undefined))).toEqual(
      (row.job ?? []).map(({ body }) => body),
    );
    expect(found?.images).toEqual(row.images);
    expect(found?.usage).toEqual(row.usage);
    expect(record?.notes).toBe(row.notes);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    expect((await run(row, { status, body })).fault).toMatchObject({ kind, message, status });
  });

  it.each(['', '[]', '<html>', '{"data":3}', '{"output":"x"}'])('answers %j with a fault', async (body) => {
    expect((await run(row, { status: 200, body })).fault?.status).toBeGreaterThanOrEqual(400);
  });
});

it("tells a refusal of Stability's safety system from trouble with the key", async () => {
  const row = IMAGES_ROWS.find(({ preset }) => preset === 'stability');
  if (!row) throw new Error('no row');
  const flagged = { id: 'e', name: 'content_moderation', errors: ['Your request was flagged by our content moderation system'] };
  expect((await run(row, { status: 403, body: flagged })).fault).toMatchObject({ status: 400, code: 'content_policy_violation' });
  const key = { id: 'e', name: 'forbidden', errors: ['Your API key may not do that'] };
  expect((await run(row, { status: 403, body: key })).fault).toMatchObject({ status: 502, code: 'upstream_credential' });
});

describe('the table', () => {
  it.each(['images', 'image-edits', 'image-variations'] as const)('has a row for every wire of %s', (ability) => {
    const covered = new Set(IMAGES_ROWS.filter((row) => row.ability === ability).map((row) => wireOf(row)));
    const missing = [...presets.keys()].flatMap((id) =>
      wiresOf(id, ability).flatMap((wire) => (covered.has(wire) ? [] : [`${id} ${wire.codec} ${wire.models?.join(' ')}`])),
    );
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual([]);
  });

  it('cites a page of each', () => expect(IMAGES_ROWS.filter(({ page }) => !page.startsWith('https://'))).toEqual([]));
});
