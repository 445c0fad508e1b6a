import { describe, expect, it } from 'vitest';
import type { MediaContext } from '../../../src/exchange/media/media-exchange.ts';
import { createVideoDriver, videoSubmission } from '../../../src/exchange/media/videos.ts';
import { createNotes } from '../../../src/ir/index.ts';
import { videoCodecs } from '../../../src/media/videos/index.ts';
import type { VideoRequest } from '../../../src/media/videos/shape.ts';
import { presets } from '../../../src/presets/index.ts';
import type { Task } from '../../../src/tasks/ports.ts';
import type { UpstreamRequest } from '../../../src/upstream/send.ts';
import { callWhole, type Canned } from './call-whole.ts';
import { wireOf, wiresOf } from './media-row.ts';
import { type VideoRow, VIDEOS_ROWS } from './videos-rows.ts';

const NAMES: VideoRequest['names'] = {
  prompt: 'prompt',
  images: 'input_reference',
  seconds: 'seconds',
  size: 'size',
  ratio: 'aspect_ratio',
  resolution: 'resolution',
  negativePrompt: 'negative_prompt',
  seed: 'seed',
  audio: 'generate_audio',
};

const NEVER = new AbortController().signal;

const requestOf = ({ wish }: VideoRow): VideoRequest => ({ prompt: 'a cat', images: [], names: NAMES, rest: {}, ...wish });

const taskOf = (row: VideoRow): Task => ({
  id: 'video_1',
  owner: 'k',
  kind: 'video',
  status: 'queued',
  phase: 'submitted',
  progress: 0,
  provider: 'it',
  model: row.model,
  remoteId: row.remoteId,
  createdAt: 0,
  deadlineAt: Infinity,
  value: { about: {}, media: [] },
});

const driverOf = ({ ports, call }: MediaContext) => createVideoDriver({ exchange: ports, snapshot: () => call.snapshot });

const run = <Found>(row: VideoRow, canned: Canned, work: (context: MediaContext) => Promise<Found>) =>
  callWhole({ ...row, ability: 'videos' }, canned, work);

const lineOf = ({ method, origin, path }: UpstreamRequest): string => `${method} ${origin}${path}`;

/** A body, a form as its fields: files as base64. */
function bodyOf({ body, headers }: UpstreamRequest): unknown {
  const bytes = Buffer.concat(body);
  if (bytes.length === 0) return undefined;
  if (!headers['content-type']?.startsWith('multipart/')) return JSON.parse(bytes.toString());
  const out: Record<string, string> = {};
  for (const [, head = '', value = ''] of bytes
    .toString('latin1')
    .matchAll(/content-disposition: form-data; ((?:[^\r]|\r(?!\n\r\n))*)\r\n\r\n([\s\S]*?)\r\n--/g)) {
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
    out[name] = head.includes('filename=') ? Buffer.from(value, 'latin1').toString('base64') : value;
  }
  return out;
}

const headersOf = ({ headers }: UpstreamRequest): object => {
  const { 'content-type': _, ...rest } = headers;
  return rest;
};

describe.each(VIDEOS_ROWS.map((row) => [`${row.preset} ${row.model}`, row] as const))('%s', (_name, row) => {
  const submit = (canned: Canned) => run(row, canned, (context) => videoSubmission(context, { request: requestOf(row) })('video_1', NEVER));
  const poll = (canned: Canned) => run(row, canned, async (context) => driverOf(context).poll?.(taskOf(row), NEVER));

  it('is asked as its page says, once, and gives the id of its job', async () => {
    const { sent, found, record } = await submit({ status: 200, body: row.accepted });
    expect(sent.map(lineOf)).toEqual([row.submission.to]);
    const [request] = sent;
    expect(request && headersOf(request)).toEqual(row.headers);
    expect(request && bodyOf(request)).toEqual(row.submission.body);
    expect(found).toMatchObject({ remoteId: row.remoteId });
    expect(record?.notes).toBe(row.notes);
  });

  it('has its errors read', async () => {
    const { status, body, kind, message } = row.refusal;
    expect((await submit({ status, body })).fault).toMatchObject({ kind, message });
  });

  it('is asked about its job, and understood', async () => {
    const { sent, found } = await poll({ status: 200, body: row.running.reply });
    expect(sent.map(lineOf)).toEqual([row.poll.to]);
    const [request] = sent;
    expect(request && headersOf(request)).toEqual(row.pollHeaders ?? row.headers);
    expect(request && bodyOf(request)).toEqual(row.poll.body);
    expect(['queued', 'in_progress']).toContain(found?.status);
    expect(found?.progress).toBe(row.running.progress);
  });

  it('says where the video is when it is done', async () => {
    expect((await poll({ status: 200, body: row.done.reply })).found).toMatchObject({ status: 'completed' });
    const codec = videoCodecs.get(wireOf(row).codec);
    const target = { model: row.model, options: wireOf(row).options ?? {}, settings: {}, notes: createNotes(), newId: String };
    const job = codec?.job({ status: 200, headers: {}, body: Buffer.from(JSON.stringify(row.done.reply)) }, row.remoteId, target);
    expect(JSON.parse(JSON.stringify(job?.outputs))).toEqual(row.done.outputs);
    expect(JSON.stringify(job?.detail)).not.toContain('bytesBase64Encoded');
  });

  it('keeps the words of the provider when it fails', async () => {
    const { reply, code, message } = row.failed;
    expect((await poll({ status: 200, body: reply })).found).toMatchObject({ status: 'failed', error: { code, message } });
  });

  it('passes on that a job is cancelled, or deleted, where it can be', async () => {
    const cancelled = await run(row, { status: 200, body: {} }, async (context) => driverOf(context).cancel?.(taskOf(row), NEVER));
    expect(cancelled.sent.map(lineOf)).toEqual(row.cancel === undefined ? [] : [row.cancel]);
    const removed = await run(row, { status: 200, body: {} }, async (context) =>
      driverOf(context).remove?.({ ...taskOf(row), phase: 'over' }, NEVER),
    );
    expect(removed.sent.map(lineOf)).toEqual(row.remove === undefined ? [] : [row.remove]);
    const givenUp = await run(row, { status: 200, body: {} }, async (context) => driverOf(context).remove?.(taskOf(row), NEVER));
    expect(givenUp.sent.map(lineOf)).toEqual([row.cancel ?? row.remove ?? []].flat());
  });

  it.each(['<html>', '[]', ''])('answers %j with a fault of the upstream', async (body) => {
    expect((await submit({ status: 200, body })).fault).toMatchObject({ status: 502, code: 'upstream_malformed' });
    expect((await poll({ status: 200, body })).fault).toMatchObject({ status: 502, code: 'upstream_malformed' });
  });
});

describe('the table', () => {
  it('has a row for every wire', () => {
    const covered = new Set(VIDEOS_ROWS.map((row) => wireOf(row)));
    const missing = [...presets.keys()].flatMap((id) =>
      wiresOf(id, 'videos').flatMap((wire) => (covered.has(wire) ? [] : [`${id} ${wire.codec}`])),
    );
    expect(missing.filter((one) => !one.startsWith('sandbox '))).toEqual([]);
  });

  it('cites a page of each', () => expect(VIDEOS_ROWS.filter(({ page }) => !page.startsWith('https://'))).toEqual([]));
});
