import type { Notes } from '../../ir/index.ts';
import type { EmbeddingsRequest, EmbeddingTask } from './shape.ts';

/** Gemini's words. https://ai.google.dev/api/embeddings#v1beta.TaskType */
export const GEMINI_TASKS: ReadonlyMap<string, EmbeddingTask> = new Map([
  ['RETRIEVAL_QUERY', 'query'],
  ['RETRIEVAL_DOCUMENT', 'document'],
  ['SEMANTIC_SIMILARITY', 'similarity'],
  ['CLASSIFICATION', 'classification'],
  ['CLUSTERING', 'clustering'],
  ['QUESTION_ANSWERING', 'question-answering'],
  ['FACT_VERIFICATION', 'fact-verification'],
  ['CODE_RETRIEVAL_QUERY', 'code-query'],
]);

const GEMINI_WORDS: ReadonlyMap<EmbeddingTask, string> = new Map([...GEMINI_TASKS].map(([word, task]) => [task, word]));

/** Gemini's word for a task. */
export const geminiTask = (task: EmbeddingTask | undefined): string | undefined => (task ? GEMINI_WORDS.get(task) : undefined);

/** How one kind of provider says what vectors are for. */
export interface TaskWords {
  readonly field: string;
  readonly words: { readonly [T in EmbeddingTask]?: string };
  /** Said where the client says nothing: the provider insists on one. */
  readonly required?: string;
}

/** The ways of providers, by the names that presets use. */
export const TASK_WORDS = {
  // https://docs.cohere.com/reference/embed
  cohere: {
    field: 'input_type',
    words: {
      query: 'search_query',
      document: 'search_document',
      classification: 'classification',
      clustering: 'clustering',
      'question-answering': 'search_query',
      'fact-verification': 'search_query',
      'code-query': 'search_query',
    },
    required: 'search_document',
  },
  // https://docs.voyageai.com/reference/embeddings-api
  voyage: { field: 'input_type', words: { query: 'query', document: 'document', 'question-answering': 'query', 'code-query': 'query' } },
  // https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html
  nvidia: {
    field: 'input_type',
    words: { query: 'query', document: 'passage', 'question-answering': 'query', 'code-query': 'query' },
    required: 'passage',
  },
  // https://jina.ai/embeddings/
  jina: {
    field: 'task',
    words: {
      query: 'retrieval.query',
      document: 'retrieval.passage',
      similarity: 'text-matching',
      classification: 'classification',
      clustering: 'separation',
      'question-answering': 'retrieval.query',
      'code-query': 'code.query',
    },
  },
  // https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api
  dashscope: { field: 'text_type', words: { query: 'query', document: 'document', 'question-answering': 'query' } },
} as const satisfies Readonly<Record<string, TaskWords>>;

/** The ways of a provider by their name, where it has any. */
export const taskWords = (name: unknown): TaskWords | undefined =>
  typeof name === 'string' && name in TASK_WORDS ? TASK_WORDS[name as keyof typeof TASK_WORDS] : undefined;

/** The member that says what a request's vectors are for; what it cannot say is noted. */
export function taskMember({ task, names }: EmbeddingsRequest, way: TaskWords | undefined, notes: Notes): Readonly<Record<string, string>> {
  const word = task && way?.words[task];
  if (way && word !== undefined) return { [way.field]: word };
  if (way?.required !== undefined) {
    notes.add(names.task, 'approximated', `the target insists on a '${way.field}': '${way.required}' was sent`);
    return { [way.field]: way.required };
  }
  if (task) notes.add(names.task, 'dropped', 'the target has no word for it');
  return {};
}

/** What clients of OpenAI's endpoint send to say it, in the words of the vendors that have such a member. */
export const SPOKEN_TASKS: ReadonlyMap<string, EmbeddingTask> = new Map<string, EmbeddingTask>([
  ...GEMINI_TASKS,
  ['query', 'query'],
  ['search_query', 'query'],
  ['retrieval.query', 'query'],
  ['document', 'document'],
  ['passage', 'document'],
  ['search_document', 'document'],
  ['retrieval.passage', 'document'],
  ['text-matching', 'similarity'],
  ['classification', 'classification'],
  ['clustering', 'clustering'],
  ['separation', 'clustering'],
  ['code.query', 'code-query'],
]);
