import { type JsonObject, type ReplyEvent, type Usage } from '../../ir/index.ts';
import type { ReplyContext, WriteFrame } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { replyId, tierMember } from './reply-encode.ts';
import { encodeUsage } from './usage.ts';

/** A chunk around a text that flows: what stands before its literal, and after. */
export interface Flow {
  readonly prefix: string;
  readonly suffix: string;
}

/** Prints chunks. What is the same in all of them is printed once. */
export interface ChunkText {
  begin(event: Extract<ReplyEvent, { type: 'reply-start' }>): void;
  send(choice: number, delta: JsonObject, write: WriteFrame, logprobs?: JsonObject): void;
  finish(choice: number, word: string, write: WriteFrame): void;
  /** The chunk of a delta whose text is yet to come: `path` is the delta up to it, `close` what follows. */
  flow(choice: number, path: string, close: string): Flow;
  usage(usage: Usage, write: WriteFrame): void;
}

export function createChunkText(context: ReplyContext): ChunkText {
  /** Every chunk up to its choices. */
  let head = '';
  const ending = '"logprobs":null,"finish_reason":null}]}';
  return {
    begin(event) {
      const envelope = {
        ...residueOf(event),
        id: replyId(event.id, context),
        object: 'chat.completion.chunk',
        created: event.createdAt ?? context.now(),
        model: event.model,
        ...tierMember(event.serviceTier),
      };
      head = `${JSON.stringify(envelope).slice(0, -1)},`;
    },
    send(choice, delta, write, logprobs) {
      const rest = logprobs ? `"logprobs":${JSON.stringify(logprobs)},"finish_reason":null}]}` : ending;
      write(`${head}"choices":[{"index":${choice},"delta":${JSON.stringify(delta)},${rest}`);
    },
    finish(choice, word, write) {
      write(`${head}"choices":[{"index":${choice},"delta":{},"logprobs":null,"finish_reason":${JSON.stringify(word)}}]}`);
    },
    flow: (choice, path, close) => ({ prefix: `${head}"choices":[{"index":${choice},"delta":{${path}`, suffix: `${close}},${ending}` }),
    usage(usage, write) {
      write(`${head}"choices":[],"usage":${JSON.stringify(encodeUsage(usage))}}`);
    },
  };
}
