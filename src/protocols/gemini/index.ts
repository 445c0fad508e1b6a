import type { FactChanges } from '../../ir/index.ts';
import type { Protocol } from '../protocol.ts';
import { DIALECT } from './dialect.ts';
import { decodeFault, encodeFault, faultFrame } from './faults.ts';
import { decodeReply } from './reply-decode.ts';
import { encodeReply } from './reply-encode.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { createStreamDecoder } from './stream-decode.ts';
import { createStreamEncoder } from './stream-encode.ts';
import { tap } from './tap.ts';

/** What the wire takes; models differ in how they are told to think, and in what goes together (presets). */
const facts: FactChanges = {
  toolId: { max: 64, charset: 'any' },
  topK: true,
  maxStop: 5,
  reasoningControl: 'level',
  efforts: ['minimal', 'low', 'medium', 'high'],
  // Addresses outside of Google's own store are fetched by few models: bytes are sure.
  media: { image: 'bytes', document: 'bytes', audio: 'bytes', video: 'bytes' },
  includeUsage: false,
  store: false,
};

/** Gemini `generateContent` and `streamGenerateContent`. https://ai.google.dev/api/generate-content */
export const gemini: Protocol = {
  id: DIALECT,
  facts,
  path: (model, stream) => `/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
  decodeRequest,
  encodeRequest,
  decodeReply,
  encodeReply,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
  decodeFault,
  encodeFault,
  faultFrame,
  // An empty line, not a comment: Google's own SDKs take every other line that is no data for an error's.
  keepAlive: '\n',
  tap,
};
