import { bearer } from './auth.ts';
import { jwtSigned } from './jwt-auth.ts';
import { definePreset } from './preset.ts';
import { klingVideoWires, lumaVideoWires, runwayVideoWires } from './video-wires.ts';

/*
 * Vendors that make videos and are called for nothing else here.
 */

/** Kling, of Kuaishou: an access key and its secret, or one API key. */
export const kling = definePreset({
  id: 'kling',
  label: 'Kling',
  docs: [
    'https://app.klingai.com/global/dev/document-api/apiReference/commonInfo',
    'https://app.klingai.com/global/dev/document-api/apiReference/model/textToVideo',
    'https://app.klingai.com/global/dev/document-api/apiReference/model/imageToVideo',
  ],
  env: ['KLING_API_KEY', 'KLINGAI_API_KEY'],
  envPair: ['KLING_ACCESS_KEY', 'KLING_SECRET_KEY'],
  origin: 'https://api-singapore.klingai.com',
  regions: { intl: 'https://api-singapore.klingai.com', cn: 'https://api-beijing.klingai.com' },
  auth: { kind: 'by-key', pick: (key) => (key.includes(':') ? jwtSigned : bearer) },
  speaks: {},
  knows: ['kling-*'],
  media: klingVideoWires,
});

/** Runway. */
export const runway = definePreset({
  id: 'runway',
  label: 'Runway',
  docs: ['https://docs.dev.runwayml.com/api/', 'https://docs.dev.runwayml.com/guides/models/'],
  env: ['RUNWAYML_API_SECRET', 'RUNWAY_API_KEY'],
  origin: 'https://api.dev.runwayml.com',
  auth: bearer,
  speaks: {},
  knows: ['gen3a_*', 'gen4_*', 'gen4.5'],
  media: runwayVideoWires,
});

/** Luma. */
export const luma = definePreset({
  id: 'luma',
  label: 'Luma',
  docs: ['https://docs.lumalabs.ai/docs/video-generation', 'https://docs.lumalabs.ai/reference/creategeneration'],
  env: ['LUMAAI_API_KEY', 'LUMA_API_KEY'],
  origin: 'https://api.lumalabs.ai',
  auth: bearer,
  speaks: {},
  knows: ['ray-*'],
  media: lumaVideoWires,
});
