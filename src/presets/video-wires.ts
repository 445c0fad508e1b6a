import type { MediaWire, Preset } from './preset.ts';

/*
 * How each vendor makes videos. One place, so that what its codecs can be told stands side by side. Option `usual`: the model of
 * requests that name none, as an edit of a file.
 */

type Videos = Pick<NonNullable<Preset['media']>, 'videos'>;

const videos = (wire: MediaWire): Videos => ({ videos: wire });

/** OpenAI itself. */
export const openaiVideoWires = videos({
  codec: 'openai',
  base: '/v1',
  models: ['sora-*'],
  options: { usual: 'sora-2' },
  mark: 'documented',
});

/** Servers that copied OpenAI's videos. */
export const openaiCopyVideoWires = videos({
  codec: 'openai',
  base: '/v1',
  options: { references: 8, remixReferences: 8 },
  mark: 'documented',
});

/** Sora at Azure, whose deployments are named by their owner. */
export const azureVideoWires = videos({ codec: 'openai', base: '/openai/v1', models: ['*sora*', '*video*'], mark: 'documented' });

/** Veo at the Gemini API. */
export const geminiVideoWires = videos({ codec: 'veo', base: '/v1beta', models: ['veo-*'], mark: 'recorded' });

/** Veo at Vertex AI, below this base. */
export const vertexVideoWires = (base: string): Videos =>
  videos({ codec: 'veo', base, models: ['veo-*'], options: { operations: 'fetch' }, mark: 'documented' });

/** xAI. */
export const xaiVideoWires = videos({ codec: 'xai', base: '/v1', models: ['grok-*video*'], mark: 'documented' });

const WAN: MediaWire = { codec: 'dashscope', base: '/api/v1', mark: 'documented' };
/** Alibaba's Wan: since 2.7 with a list of files. */
export const dashscopeVideoWires: Videos = {
  videos: [
    { ...WAN, models: ['wan2.7-*2v*'], options: { media: true } },
    { ...WAN, models: ['wan3*-video*'], options: { media: true, most: 30 } },
    { ...WAN, models: ['wan*t2v*', 'wan*i2v*', 'wan*kf2v*', 'wan*r2v*', 'wanx*t2v*', 'wanx*i2v*'] },
  ],
};

/** CogVideoX and Vidu. */
export const zaiVideoWires = videos({ codec: 'zai', base: '/api/paas/v4', models: ['cogvideox*', 'vidu*'], mark: 'documented' });

/** Seedance; `ep-…` is an operator's own name for a model. */
export const volcengineVideoWires = videos({
  codec: 'volcengine',
  base: '/api/v3',
  models: ['*seedance*', 'ep-*'],
  mark: 'documented',
});

/** Hailuo. */
export const minimaxVideoWires = videos({
  codec: 'minimax',
  base: '/v1',
  models: ['*hailuo*', 'T2V-*', 'I2V-*', 'S2V-*', 'video-01*'],
  mark: 'documented',
});

/** Kling. */
export const klingVideoWires = videos({ codec: 'kling', base: '/v1', mark: 'documented' });

const RUNWAY: MediaWire = { codec: 'runway', base: '/v1', headers: { 'x-runway-version': '2024-11-06' }, mark: 'documented' };
/** Runway; the version of its API is a header. */
export const runwayVideoWires: Videos = {
  videos: [
    { ...RUNWAY, models: ['veo3'], options: { seconds: '8' } },
    { ...RUNWAY, models: ['veo3.1*'], options: { seconds: '8,6,4' } },
    RUNWAY,
  ],
};

/** Luma. */
export const lumaVideoWires = videos({ codec: 'luma', base: '/dream-machine/v1', options: { images: 'url' }, mark: 'documented' });
