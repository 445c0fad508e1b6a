import { bearer, header } from './auth.ts';
import { definePreset, type MediaWire } from './preset.ts';

/** Makers of models that make images, and do nothing else. */

const STABILITY: MediaWire = { codec: 'stability', base: '/v2beta/stable-image', models: ['stable-image-*', 'sd3*'], mark: 'documented' };

export const stability = definePreset({
  id: 'stability',
  label: 'Stability AI',
  docs: ['https://platform.stability.ai/docs/api-reference#tag/Generate'],
  env: ['STABILITY_API_KEY', 'STABILITY_KEY'],
  origin: 'https://api.stability.ai',
  auth: bearer,
  speaks: {},
  knows: ['stable-image-*', 'sd3*'],
  media: {
    images: STABILITY,
    'image-edits': { ...STABILITY, models: ['stable-image-ultra', 'sd3*'] },
  },
});

/** Jobs may run in any of its regions, each with an address of its own. https://docs.bfl.ai/api_integration/integration_guidelines */
const BFL: MediaWire = { codec: 'bfl', base: '/v1', models: ['flux-*'], options: { hosts: '.bfl.ai' }, mark: 'documented' };
const WITH_RATIO: MediaWire = {
  ...BFL,
  models: ['flux-kontext-*', 'flux-*-ultra*'],
  options: { hosts: '.bfl.ai', ratio: true, images: 4 },
};
const FLUX_2: MediaWire = { ...BFL, models: ['flux-2-*'], options: { hosts: '.bfl.ai', step: 16, max: 2048, images: 8 } };
const FILL: MediaWire = { ...BFL, models: ['flux-*-fill*'], options: { hosts: '.bfl.ai', fill: true } };

export const bfl = definePreset({
  id: 'bfl',
  label: 'Black Forest Labs (FLUX)',
  docs: ['https://docs.bfl.ai/quick_start/generating_images', 'https://docs.bfl.ai/api-reference/utility/get-result'],
  env: ['BFL_API_KEY'],
  origin: 'https://api.bfl.ai',
  regions: { eu: 'https://api.eu.bfl.ai', us: 'https://api.us.bfl.ai' },
  auth: header('x-key'),
  speaks: {},
  knows: ['flux-*'],
  media: {
    images: [WITH_RATIO, FLUX_2, { ...BFL, models: ['flux-*', '!*fill*'] }],
    'image-edits': [WITH_RATIO, FLUX_2, FILL],
  },
});
