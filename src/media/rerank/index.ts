import type { WholeCodec } from '../codec.ts';
import { cohereRerank } from './cohere.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/** Who can be asked to rerank, by the name that presets use. */
export const rerankCodecs: ReadonlyMap<string, WholeCodec<RerankRequest, RerankReply>> = new Map([['cohere', cohereRerank]]);
