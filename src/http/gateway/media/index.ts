import type { IncomingMessage } from 'node:http';
import { type Ability, GatewayError, gatewayFault } from '../../../ir/index.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { embeddingsEndpoint } from './embeddings.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { moderationsEndpoint } from './moderations.ts';
import { imagesEndpoint } from './images.ts';
import { rerankEndpoint } from './rerank.ts';
import { videosEndpoint } from './videos.ts';
import { speechEndpoint } from './speech.ts';
import { transcriptionEndpoint } from './transcription.ts';

const ENDPOINTS: { readonly [A in Ability]?: MediaEndpoint } = {
  embeddings: embeddingsEndpoint,
  moderations: moderationsEndpoint,
  images: imagesEndpoint,
  'image-edits': imagesEndpoint,
  'image-variations': imagesEndpoint,
  rerank: rerankEndpoint,
  videos: videosEndpoint,
  speech: speechEndpoint,
  transcription: transcriptionEndpoint,
  translation: transcriptionEndpoint,
};

/** Abilities besides chat. */
export const createMediaService =
  (gateway: () => GatewayPorts) =>
  async (visit: Visit, operation: MediaOperation, request: IncomingMessage): Promise<void> => {
    const endpoint = ENDPOINTS[operation.ability];
    if (!endpoint) {
      throw new GatewayError(
        gatewayFault('not_found', `'${operation.ability}' is not served by this version of Pailou`, { code: 'not_supported' }),
      );
    }
    return endpoint(visit, operation, request, gateway());
  };
