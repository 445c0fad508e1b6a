import type { FactChanges } from '../../ir/index.ts';
import type { Protocol } from '../protocol.ts';
import { faultFrame } from '../openai-chat/faults.ts';
import { decodeFault, encodeFault } from '../openai-error.ts';
import { decodeReply } from '../openai-chat/reply-decode.ts';
import { createStreamDecoder } from '../openai-chat/stream-decode.ts';
import { tap } from '../openai-chat/tap.ts';
import { DIALECT } from './dialect.ts';
import { encodeReply } from './reply-encode.ts';
import { decodeRequest } from './request-decode.ts';
import { encodeRequest } from './request-encode.ts';
import { createStreamEncoder } from './stream-encode.ts';

const facts: FactChanges = { media: { image: 'none', document: 'none', audio: 'none', video: 'none' } };

/**
 * OpenAI's legacy completions: `/v1/completions`. A small brother of chat, of which it takes what is the same: errors, and
 * the reading of replies, whose choices have `text` where chat has a message. Mostly relayed as it is.
 * https://platform.openai.com/docs/api-reference/completions
 */
export const openaiCompletions: Protocol = {
  id: DIALECT,
  facts,
  path: () => '/completions',
  decodeRequest,
  encodeRequest,
  decodeReply,
  encodeReply,
  streamDecoder: createStreamDecoder,
  streamEncoder: createStreamEncoder,
  decodeFault,
  encodeFault,
  faultFrame,
  keepAlive: ': keep-alive\n\n',
  terminator: '[DONE]',
  tap,
};
