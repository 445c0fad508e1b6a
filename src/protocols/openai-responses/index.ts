import type { FactChanges } from '../../ir/index.ts';
import type { Protocol } from '../protocol.ts';
import { DIALECT } from './dialect.ts';
import { decodeFault, encodeFault } from '../openai-error.ts';
import { faultFrame } from './faults.ts';
import { createRelayedFaults } from './relayed-faults.ts';
import { decodeReply } from './reply-decode.ts';
import { encodeReply } from './reply-encode.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { createStreamDecoder } from './stream-decode.ts';
import { createStreamEncoder } from './stream-encode.ts';
import { tap } from './tap.ts';

/** What the wire takes; providers and models differ in much of it (presets). */
const facts: FactChanges = {
  toolId: { max: 64, charset: 'any' },
  media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'bytes', video: 'none' },
  mediaInToolResults: true,
  penalties: false,
  seed: false,
  n: false,
  maxStop: 0,
};

/** OpenAI Responses: `/v1/responses`. https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: Protocol = {
  id: DIALECT,
  facts,
  path: () => '/responses',
  decodeRequest,
  encodeRequest,
  decodeReply,
  encodeReply,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
  decodeFault,
  encodeFault,
  faultFrame,
  relayedFaults: createRelayedFaults,
  keepAlive: ': keep-alive\n\n',
  tap,
};
