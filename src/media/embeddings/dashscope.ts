import { isObject, type Json, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import type { EmbeddingsCodec } from './shape.ts';
import { TASK_WORDS, taskMember } from './tasks.ts';
import { textsOf } from './texts.ts';
import { inOrder, vectorOf } from './vectors.ts';

/** DashScope's own. https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api */
export const dashscopeEmbeddings: EmbeddingsCodec = {
  id: 'dashscope',
  batch: 10,
  tasks: () => true,
  encode(request, { model, notes }) {
    const { dimensions } = request;
    const parameters = {
      ...(dimensions === undefined ? {} : { dimension: dimensions }),
      ...taskMember(request, TASK_WORDS.dashscope, notes),
    };
    return {
      path: '/services/embeddings/text-embedding/text-embedding',
      body: jsonBody({ model, input: { texts: textsOf(request) }, ...(Object.keys(parameters).length > 0 ? { parameters } : {}) }),
    };
  },
  decode({ body }, { inputs }) {
    const { output, usage } = parseObject(body.toString('utf8')) ?? {};
    const list = isObject(output) ? output['embeddings'] : undefined;
    if (!Array.isArray(list)) throw new Error('a reply without embeddings');
    const found = list.map((one: Json, at) => {
      if (!isObject(one)) throw new Error('an embedding that is none');
      return { index: typeof one['text_index'] === 'number' ? one['text_index'] : at, vector: vectorOf(one['embedding']) };
    });
    const input = isObject(usage) ? usage['total_tokens'] : undefined;
    return { vectors: inOrder(found, inputs.length), ...(typeof input === 'number' ? { usage: { input, output: 0 } } : {}) };
  },
};
