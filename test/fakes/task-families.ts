// Families of what takes long: films, which are ordered and kept, and pictures of makers that answer with a job to be asked about.
import { type Answered, type Came, type Family, formAsked, halves, halvesOf, jsonAsked, placed, PNG, whole } from './family.ts';
import { MP4 } from './videos.ts';

const VIDEO = {
  object: 'video',
  created_at: 1_790_000_000,
  completed_at: null,
  expires_at: null,
  model: 'sora-2',
  progress: 100,
  seconds: '4',
  size: '720x1280',
};
/** It is done as soon as it is ordered, and what is not over leaves nothing behind in a long run. */
const DONE = { ...VIDEO, id: 'video_up1', status: 'completed' };
const json = (value: unknown): Answered => ({ type: 'application/json', body: JSON.stringify(value) });
const film: Answered = { type: 'video/mp4', body: MP4 };

const VEO_MODEL = 'veo-3.1-generate-preview';
const VEO_NAME = `models/${VEO_MODEL}/operations/op-1`;

/** What is asked about a film after it was ordered, with nobody who waits for it. */
const openaiFilm = ({ path }: Came): Answered | undefined => {
  if (!path.includes('/v1/videos/video_up1')) return undefined;
  return path.includes('/content') ? film : json(DONE);
};

function veoFilm({ path, origin }: Came): Answered | undefined {
  if (path.startsWith('/veo/v1beta/files/')) return film;
  if (!path.includes(`/${VEO_NAME}`)) return undefined;
  const generatedSamples = [{ video: { uri: `${origin}/veo/v1beta/files/film-1:download?alt=media` } }];
  return json({ name: VEO_NAME, done: true, response: { generateVideoResponse: { generatedSamples } } });
}

/** Remixes and extensions go the way of edits. */
const VIDEOS: readonly Family[] = [
  {
    ...whole(
      'videos',
      DONE,
      (mark) => jsonAsked('/v1/videos', { model: 'film/sora-2', prompt: mark }),
      placed('film', { preset: 'openai' }),
    ),
    beside: openaiFilm,
    makes: 'kept',
  },
  {
    ...whole(
      'video edits',
      DONE,
      (mark) =>
        formAsked('/v1/videos/edits', [
          ['model', 'recut/sora-2'],
          ['prompt', mark],
          ['video', MP4, 'a.mp4', 'video/mp4'],
        ]),
      placed('recut', { preset: 'openai' }),
    ),
    makes: 'kept',
  },
  {
    ...whole(
      'videos, as Gemini',
      { name: VEO_NAME },
      (mark) => jsonAsked(`/v1beta/models/veo/${VEO_MODEL}:predictLongRunning`, { instances: [{ prompt: mark }] }),
      placed('veo', { preset: 'gemini' }),
    ),
    beside: veoFilm,
    makes: 'kept',
  },
  {
    ...whole(
      'video characters',
      { id: 'char_up1', object: 'video.character', name: 'Mossy', created_at: 1_790_000_000 },
      (mark) =>
        formAsked('/v1/videos/characters', [
          ['model', 'cast/sora-2'],
          ['name', mark],
          ['video', MP4, 'a.mp4', 'video/mp4'],
        ]),
      placed('cast', { preset: 'openai' }),
    ),
    makes: 'once',
  },
];

/** A picture that stands in the answer itself. */
const READY = { id: 'job-1', status: 'Ready', result: { sample: `data:image/png;base64,${PNG}` } };

/** The prompt of an order, as what its job is called: the mark goes on in it. */
const jobOf = (body: string): string => encodeURIComponent(/"prompt":"([^"]*)"/.exec(body)?.[1] ?? 'job');
const idIn = (path: string): string => /[?&]id=([^&]*)/.exec(path)?.[1] ?? 'job';

const ordered = ({ path, body }: Came, below: string): Answered | undefined =>
  path.startsWith(below) && path.includes('/flux-') ? json({ id: jobOf(body) }) : undefined;

const drawing = (name: string, provider: string, beside: Family['beside']): Family => ({
  ...whole(
    name,
    { id: 'job-1' },
    (mark) => jsonAsked('/v1/images/generations', { model: `${provider}/flux-dev`, prompt: mark }),
    placed(provider, { preset: 'bfl' }),
  ),
  ...(beside ? { beside } : {}),
  makes: 'once',
});

/** One job, seen from each of the three requests that it takes. */
const DRAWINGS: readonly Family[] = [
  drawing('images, by a job', 'drawer', ({ path }) => (path.startsWith('/drawer/v1/get_result') ? json(READY) : undefined)),
  {
    ...drawing('images, by a job: how it stands', 'asked-drawer', (came) => ordered(came, '/asked-drawer/')),
    pieces: halves(READY),
    makes: 'after',
  },
  {
    ...drawing('images, by a job: its file', 'far-drawer', (came) => {
      if (!came.path.startsWith('/far-drawer/v1/get_result')) return ordered(came, '/far-drawer/');
      return json({ status: 'Ready', result: { sample: `${came.origin}/far-drawer/files/${idIn(came.path)}.png` } });
    }),
    type: 'image/png',
    pieces: halvesOf(Buffer.from(PNG, 'base64')),
    makes: 'after',
    isFile: true,
  },
];

/** Orders of films, and pictures by jobs. */
export const TASK_FAMILIES: readonly Family[] = [...VIDEOS, ...DRAWINGS];
