import type { WholeCodec } from '../codec.ts';
import { bedrockRerank } from './bedrock.ts';
import { classicRerank } from './classic.ts';
import { cohereRerank } from './cohere.ts';
import { dashscopeRerank } from './dashscope.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/** Who can be asked to rerank, by the name that presets use. */
export const rerankCodecs: ReadonlyMap<string, WholeCodec<RerankRequest, RerankReply>> = new Map(
  [cohereRerank, classicRerank, dashscopeRerank, bedrockRerank].map((codec) => [codec.id, codec]),
);
