import type { MediaWire, Preset } from './preset.ts';

/*
 * How each vendor makes videos. One place, so that what its codecs can be told stands side by side.
 */

type Videos = Pick<NonNullable<Preset['media']>, 'videos'>;

const videos = (wire: MediaWire | readonly MediaWire[]): Videos => ({ videos: wire });

/** OpenAI itself. */
export const openaiVideoWires = videos({ codec: 'openai', base: '/v1', models: ['sora-*'], mark: 'documented' });

/** Servers that copied OpenAI's videos. */
export const openaiCopyVideoWires = videos({ codec: 'openai', base: '/v1', options: { references: 8 }, mark: 'documented' });
