import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type FakeUpstream, json, type Seen, startUpstream } from './upstream.ts';

/** A server of OpenAI's videos. */
export interface VideoUpstream extends FakeUpstream {
  readonly jobs: Map<string, VideoRow>;
  /** Questions until a job is done. */
  polls: number;
  /** How long a submission takes, before and after the job is there. */
  slowness: () => number;
}

interface VideoRow {
  readonly id: string;
  readonly request: Record<string, unknown>;
  readonly createdAt: number;
  asked: number;
  status: string;
  error?: { code: string; message: string };
}

export const MP4 = Buffer.concat([Buffer.from('000000186674797069736f6d0000020069736f6d69736f32', 'hex'), Buffer.alloc(4096, 7)]);

/** The text fields of a form. */
function formFields(body: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [, name = '', value = ''] of body.matchAll(/name="([^"]+)"\r\n\r\n([^\r]*)\r\n/g)) out[name] = value;
  return out;
}

const requestOf = ({ headers, body }: Seen): Record<string, unknown> =>
  String(headers['content-type']).startsWith('multipart/') ? formFields(body) : (JSON.parse(body || '{}') as Record<string, unknown>);

/** A job as it is told of. */
const shown = (row: VideoRow) => ({
  id: row.id,
  object: 'video',
  created_at: row.createdAt,
  completed_at: null,
  expires_at: null,
  progress: Math.min(100, row.asked * 40),
  model: row.request['model'],
  prompt: row.request['prompt'],
  seconds: row.request['seconds'] ?? '4',
  size: row.request['size'] ?? '720x1280',
  remixed_from_video_id: null,
  status: row.status,
  error: row.error ?? null,
});

const REFUSED = {
  error: { message: 'Your prompt is not allowed', type: 'invalid_request_error', code: 'moderation_blocked', param: 'prompt' },
};
const NOT_FOUND = { error: { message: 'No such video', type: 'invalid_request_error' } };

/** A job that is submitted: `slowness` comes before it is there, and again before it is told of. `newId`: of the next one. */
function answerSubmission(upstream: VideoUpstream, newId: () => string): Answer {
  return (seen, response) => {
    if (/refuse/.test(seen.body)) return json(REFUSED, 400)(seen, response);
    void sleep(upstream.slowness()).then(async () => {
      const id = newId();
      const row: VideoRow = { id, request: requestOf(seen), createdAt: Math.floor(Date.now() / 1000), asked: 0, status: 'queued' };
      upstream.jobs.set(id, row);
      await sleep(upstream.slowness());
      json(shown(row))(seen, response);
    });
    return undefined;
  };
}

/** All jobs, the newest first, a hundred at a time. */
function listOf(jobs: VideoUpstream['jobs'], path: string): object {
  const after = /after=([^&]+)/.exec(path)?.[1];
  const all = [...jobs.values()].toReversed();
  const from = after === undefined ? 0 : all.findIndex((row) => row.id === after) + 1;
  return { object: 'list', data: all.slice(from, from + 100).map(shown), has_more: all.length > from + 100 };
}

/** A question brings a job nearer to its end. */
function moveOn(row: VideoRow, polls: number): void {
  row.asked += 1;
  row.status = row.asked < polls ? 'in_progress' : 'completed';
  if (row.status !== 'completed' || !/fail/.test(String(row.request['prompt']))) return;
  row.status = 'failed';
  row.error = { code: 'moderation_blocked', message: 'The video shows what must not be shown' };
}

/** Starts one: a prompt with `fail` fails, one with `refuse` is refused. */
export async function startVideoUpstream(): Promise<VideoUpstream> {
  const jobs = new Map<string, VideoRow>();
  let count = 0;
  const base = await startUpstream();
  const upstream: VideoUpstream = Object.assign(base, { jobs, polls: 2, slowness: () => 0 });
  const submit = answerSubmission(upstream, () => `video_up${++count}`);
  upstream.answer = (seen, response) => {
    const [, , , id = '', word] = seen.path.split('?')[0]?.split('/') ?? [];
    if (seen.method === 'POST') return submit(seen, response);
    if (id === '') return json(listOf(jobs, seen.path))(seen, response);
    const row = jobs.get(id);
    if (!row) return json(NOT_FOUND, 404)(seen, response);
    if (seen.method === 'DELETE') {
      jobs.delete(id);
      return json({ id, object: 'video.deleted', deleted: true })(seen, response);
    }
    if (word === 'content') {
      const isImage = /variant=/.test(seen.path);
      response.writeHead(200, { 'content-type': isImage ? 'image/webp' : 'video/mp4' }).end(isImage ? Buffer.from('RIFF....WEBP') : MP4);
      return undefined;
    }
    moveOn(row, upstream.polls);
    return json(shown(row))(seen, response);
  };
  return upstream;
}
