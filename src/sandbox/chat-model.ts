import {
  type ChatRequest,
  type Choice,
  isOff,
  type Part,
  type ProtocolId,
  type ReasoningPart,
  type Reply,
  type Seal,
  type TokenLogprob,
  type Usage,
} from '../ir/index.ts';
import { type Behaviour, changed } from './behaviour.ts';
import { type Conversation, lastUserText, readConversation } from './conversation.ts';
import { countRequest, countText } from './count-tokens.ts';
import { describeMedia } from './describe-media.ts';
import { type Directives, readDirectives } from './directives.ts';
import { readHints } from './hints.ts';
import { limitTokens, partTokens, stopAt } from './limits.ts';
import { schemaInstance } from './schema-instance.ts';
import { type ReturnedSeals, returnedSeals, SEAL_MAKER, type SealForm, sealValue } from './seals.ts';
import { smallTalk } from './small-talk.ts';
import { splitText } from './split-text.ts';
import { makeCalls } from './tool-calls.ts';
import { resultText, tellResults } from './tool-results.ts';

/** What the model knows of the wire that it answers on. */
export interface WireWays {
  readonly protocol: ProtocolId;
  /** Where this wire keeps sealed state: on the thought, on what follows it, or nowhere. */
  readonly sealOn: 'reasoning' | 'next' | 'nothing';
  /** What it looks like there: a value of its own, or the list that chat clients bring back (`reasoning_details`). */
  readonly sealForm: SealForm;
  readonly replyId: string;
  readonly newCallId: () => string;
  /** Seconds since 1970. */
  readonly now: number;
}

/** An answer, and how it is to be given. */
export interface Performance {
  readonly reply: Reply;
  readonly behaviour: Behaviour;
}

/** The most answers to one request. */
const MAX_CHOICES = 8;

interface Scene {
  readonly request: ChatRequest;
  readonly conversation: Conversation;
  readonly directives: Directives;
  readonly seals: ReturnedSeals;
  readonly ways: WireWays;
}

const wantsThought = ({ request, directives }: Scene): boolean =>
  directives.think !== undefined || (request.reasoning !== undefined && !isOff(request.reasoning));

function thoughtText({ directives, conversation }: Scene): string {
  if (directives.think !== undefined && directives.think !== '') return directives.think;
  const asked = [...directives.text].slice(0, 80).join('');
  if (conversation.results.length > 0)
    return conversation.language === 'zh' ? '工具已经返回结果，我据此回答。' : 'The tools have answered; I use what they said.';
  return conversation.language === 'zh'
    ? `用户说的是：“${asked}”。先看是否需要工具，再按规则作答。`
    : `The user says: "${asked}". First I see whether a tool is needed, then I answer by my rules.`;
}

const lorem = (words: number, language: Conversation['language']): string =>
  Array.from({ length: words }, (_, index) => (language === 'zh' ? `词${index + 1}` : `word${index + 1}`)).join(' ');

/** What is said about the files, the results and the prompt. */
function answerText({ directives, conversation, seals }: Scene, variant: number): string {
  if (directives.say !== undefined) return directives.say;
  if (directives.words !== undefined) return lorem(directives.words, conversation.language);
  if (directives.seals) return `own seals: ${seals.own}, foreign seals: ${seals.foreign}`;
  if (conversation.results.length > 0) return tellResults(conversation);
  const files = conversation.media.map((part) => describeMedia(part, conversation.language));
  if (files.length === 0) return smallTalk({ ...conversation, prompt: directives.text }, variant);
  return conversation.language === 'zh' ? `我收到了${files.join('、')}。` : `I received ${files.join(' and ')}.`;
}

/** The text in the form that the request wants it in. */
function formatted(scene: Scene, variant: number): string {
  const { output } = scene.request;
  const { directives, conversation } = scene;
  // What is to be said word for word is said so, also where it breaks the form: that is something to test against.
  if (directives.say !== undefined || output === undefined || output.type === 'text') return answerText(scene, variant);
  if (output.type === 'json') return JSON.stringify({ answer: answerText(scene, variant) });
  const results = conversation.results.map((result) =>
    isJson(result.json) ? JSON.stringify(result.json) : resultText(result.content, 'en'),
  );
  return JSON.stringify(schemaInstance(output.schema, readHints(directives.text, results)));
}

const isJson = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** The parts that stand after the thought, and why the answer ends. */
function body(scene: Scene, variant: number): Choice {
  const { request, conversation, directives, ways } = scene;
  if (directives.refuse) {
    const text = conversation.language === 'zh' ? '抱歉，这个我不能回答。' : 'I am sorry, but I cannot help with that.';
    return { parts: [{ kind: 'refusal', text }], stop: { reason: 'refusal' } };
  }
  if (directives.filter) return { parts: [], stop: { reason: 'content-filter' } };
  const calls = makeCalls(request, conversation, directives, ways.newCallId);
  if (calls.length > 0) {
    const before: readonly Part[] = directives.say === undefined ? [] : [{ kind: 'text', text: directives.say }];
    return { parts: [...before, ...calls], stop: { reason: 'tool-calls' } };
  }
  return { parts: textParts(formatted(scene, variant)), stop: { reason: 'stop' } };
}

const textParts = (text: string): readonly Part[] => (text === '' ? [] : [{ kind: 'text', text }]);

/** Hangs the seal on the first part that can carry one. */
function sealFirst(parts: readonly Part[], seal: Seal): readonly Part[] {
  const at = parts.findIndex((part) => part.kind === 'text' || part.kind === 'tool-call');
  return parts.map((part, index) => (index === at && (part.kind === 'text' || part.kind === 'tool-call') ? { ...part, seal } : part));
}

/** The thought before the rest, with its seal where the wire keeps seals. */
function thinking(scene: Scene, rest: Choice): Choice {
  if (!wantsThought(scene)) return rest;
  const { protocol, sealOn, sealForm } = scene.ways;
  const text = thoughtText(scene);
  const seal: Seal = { by: protocol, maker: SEAL_MAKER, value: sealValue(text, sealForm) };
  const thought: ReasoningPart = { kind: 'reasoning', text, ...(sealOn === 'reasoning' ? { seal } : {}) };
  return { ...rest, parts: [thought, ...(sealOn === 'next' ? sealFirst(rest.parts, seal) : rest.parts)] };
}

/** Made-up but steady: the first choice is always a good one. */
function logprobsOf(text: string, top: number): readonly TokenLogprob[] {
  return splitText(text).map((token) => {
    const bytes = [...Buffer.from(token)];
    const others = Array.from({ length: Math.min(top, 20) }, (_, rank) =>
      rank === 0 ? { token, logprob: -0.1, bytes } : { token: `~${rank}`, logprob: -2 - rank, bytes: [...Buffer.from(`~${rank}`)] },
    );
    return { token, logprob: -0.1, bytes, ...(top > 0 ? { top: others } : {}) };
  });
}

function withLogprobs(choice: Choice, request: ChatRequest): Choice {
  const { logprobs } = request;
  if (!logprobs) return choice;
  const parts = choice.parts.map((part) => (part.kind === 'text' ? { ...part, logprobs: logprobsOf(part.text, logprobs.top ?? 0) } : part));
  return { ...choice, parts };
}

/** Stop sequences, then the limit of tokens, then what is told of the tokens. */
function finished(choice: Choice, request: ChatRequest): Choice {
  const stopped = request.stop ? stopAt(choice, request.stop) : choice;
  const limited = request.maxOutputTokens === undefined ? stopped : limitTokens(stopped, request.maxOutputTokens);
  return withLogprobs(limited, request);
}

function usageOf(request: ChatRequest, choices: readonly Choice[]): Usage {
  const parts = choices.flatMap((choice) => choice.parts);
  const output = parts.reduce((sum, part) => sum + partTokens(part), 0);
  const reasoning = parts.reduce((sum, part) => sum + (part.kind === 'reasoning' ? countText(part.text) : 0), 0);
  return { input: countRequest(request), output, ...(reasoning > 0 ? { reasoning } : {}) };
}

/** A reply of these answers. */
export function toReply(request: ChatRequest, ways: WireWays, choices: readonly Choice[]): Reply {
  const [first = { parts: [], stop: { reason: 'stop' } }, ...others] = choices;
  return {
    id: ways.replyId,
    model: request.model,
    createdAt: ways.now,
    ...first,
    ...(others.length > 0 ? { others } : {}),
    usage: usageOf(request, choices),
    residue: { 'openai-chat': { system_fingerprint: 'fp_sandbox' }, 'openai-completions': { system_fingerprint: 'fp_sandbox' } },
  };
}

function echo(request: ChatRequest, count: number): readonly Choice[] {
  const choice = finished({ parts: textParts(lastUserText(request)), stop: { reason: 'stop' } }, request);
  return Array.from({ length: count }, () => choice);
}

/**
 * Answers a request: a pure function of the request and `ways` (but for call ids). `behaviour` is what the model's name
 * asks for; directives of the prompt are laid over it. Throws `GatewayError` (400) for sealed state of its own that was changed.
 */
export function perform(request: ChatRequest, behaviour: Behaviour, ways: WireWays): Performance {
  const count = Math.min(Math.max(request.n ?? 1, 1), MAX_CHOICES);
  if (behaviour.voice === 'echo') return { reply: toReply(request, ways, echo(request, count)), behaviour };
  const conversation = readConversation(request);
  const directives = readDirectives(conversation.prompt);
  const scene: Scene = { request, conversation, directives, seals: returnedSeals(request), ways };
  const choices = Array.from({ length: count }, (_, variant) => finished(thinking(scene, body(scene, variant)), request));
  return { reply: toReply(request, ways, choices), behaviour: directives.changes.reduce(changed, behaviour) };
}
