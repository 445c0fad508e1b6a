import { type ChatRequest, isObject, type JsonObject, type MediaPart, type Part, type Tool } from '../ir/index.ts';
import { type ImageSize, imageSize } from '../media/image-size.ts';
import { toolText, type ToolStyle } from './tool-text.ts';

/** Where text stands: vendors write each kind into the prompt in their own way, so each is weighed apart. */
export type Channel = 'prose' | 'thought' | 'call' | 'result' | 'tool' | 'schema';

/** Things that cost tokens beside their text: how many of each there are. */
export interface Shape {
  readonly request: 1;
  readonly instructions: number;
  readonly systemTurns: number;
  readonly turns: number;
  readonly assistantTurns: number;
  /** 1 when the last turn is the beginning of the answer. */
  readonly prefill: number;
  readonly names: number;
  readonly calls: number;
  readonly results: number;
  /** 1 when there are tools. */
  readonly hasTools: number;
  readonly tools: number;
  /** Properties of all tools' arguments. */
  readonly properties: number;
  /** 1 when a tool must be called. */
  readonly forced: number;
  /** 1 when the model is told to think. */
  readonly thinking: number;
  /** 1 when the answer must fit a schema. */
  readonly schemas: number;
  /** 1 when calls must come one at a time, and none is forced. */
  readonly serial: number;
  readonly documents: number;
  /** Sealed thoughts: only their maker knows how long they are. */
  readonly seals: number;
}

/** What an image costs by. */
export interface ImageFacts extends Pick<ImageSize, 'width' | 'height'> {
  readonly detail?: string;
}

/** All of a request that costs tokens, apart from how much each thing costs. */
export interface Outline {
  readonly shape: Shape;
  readonly texts: Readonly<Record<Channel, readonly string[]>>;
  readonly images: readonly ImageFacts[];
}

/** Why a request cannot be counted: what in it has a cost that is not to be known here. */
export class Uncountable extends Error {}

/** State that lives at the provider, or prompts that it adds: their tokens are not in the request. */
const ELSEWHERE: readonly string[] = [
  'mcp_servers',
  'container',
  'thread',
  'previous_response_id',
  'conversation',
  'prompt',
  'cachedContent',
  'plugins',
  'web_search_options',
];

interface Draft {
  readonly texts: Record<Channel, string[]>;
  readonly images: ImageFacts[];
  readonly counts: { -readonly [K in keyof Shape]: number };
}

/** Enough of a base64 text to hold an image's header; a photograph's comes after its preview. */
const HEADER_CHARS = 4096;
const MAX_HEADER_CHARS = 512 * 1024;

function readImage(part: MediaPart, at: string): ImageFacts {
  if (part.source.type !== 'base64') throw new Uncountable(`the size of the image '${at}' is not known before it is fetched`);
  const { data } = part.source;
  const read = (chars: number): ImageSize | undefined => imageSize(Buffer.from(data.slice(0, chars), 'base64'));
  const size = read(HEADER_CHARS) ?? read(MAX_HEADER_CHARS);
  if (!size) throw new Uncountable(`the size of the image '${at}' cannot be read`);
  return { width: size.width, height: size.height, ...(part.detail === undefined ? {} : { detail: part.detail }) };
}

function readDocument(part: MediaPart, at: string, draft: Draft): void {
  const { source, mediaType } = part;
  draft.counts.documents++;
  if (part.title !== undefined) draft.texts.prose.push(part.title);
  if (source.type === 'text') draft.texts.prose.push(source.text);
  else if (source.type === 'base64' && mediaType?.startsWith('text/') === true)
    draft.texts.prose.push(Buffer.from(source.data, 'base64').toString('utf8'));
  else throw new Uncountable(`what the document '${at}' holds is not known here`);
}

function readMedia(part: MediaPart, at: string, draft: Draft): void {
  if (part.media === 'image') draft.images.push(readImage(part, at));
  else if (part.media === 'document') readDocument(part, at, draft);
  else throw new Uncountable(`the length of the ${part.media} '${at}' is not known here`);
}

/** Citations that are wanted add a prompt that explains them. */
function wantsCitations(part: Part): boolean {
  const asks = ({ citations }: JsonObject): boolean => isObject(citations) && citations['enabled'] === true;
  return Object.values(part.residue ?? {}).some(
    (fields) => asks(fields) || Object.values(fields).some((block) => isObject(block) && asks(block)),
  );
}

function readPart(part: Part, at: string, channel: 'prose' | 'result', draft: Draft): void {
  const { texts, counts } = draft;
  if (wantsCitations(part)) throw new Uncountable(`'${at}' asks for citations: the prompt that explains them is not known here`);
  switch (part.kind) {
    case 'text':
      if (part.seal) counts.seals++;
      texts[channel].push(part.text);
      return;
    case 'refusal':
      texts[channel].push(part.text);
      return;
    case 'reasoning':
      if (part.seal) counts.seals++;
      texts.thought.push(part.text);
      return;
    case 'media':
      readMedia(part, at, draft);
      return;
    case 'tool-call':
      counts.calls++;
      if (part.seal) counts.seals++;
      texts.call.push(part.name, part.argumentsJson);
      return;
    case 'tool-result':
      counts.results++;
      if (part.json === undefined) readParts(part.content, at, 'result', draft);
      else texts.result.push(JSON.stringify(part.json));
      return;
    case 'hosted-call':
    case 'hosted-result':
      throw new Uncountable(`'${at}' belongs to a tool that the provider runs: what it adds to the prompt is not known here`);
    case 'native':
      throw new Uncountable(`'${at}' is a block whose tokens are not known here`);
  }
}

function readParts(parts: readonly Part[], at: string, channel: 'prose' | 'result', draft: Draft): void {
  for (const [index, part] of parts.entries()) readPart(part, `${at}[${index}]`, channel, draft);
}

/** Thoughts of earlier questions are left out of the prompt: only those after the last question are read again. */
function liveFrom(request: ChatRequest): number {
  return request.turns.findLastIndex((turn) => turn.role === 'user' && turn.parts.some((part) => part.kind !== 'tool-result'));
}

function readTurns(request: ChatRequest, draft: Draft): void {
  const live = liveFrom(request);
  for (const [index, turn] of request.turns.entries()) {
    draft.counts.turns++;
    if (turn.role === 'system' || turn.role === 'developer') draft.counts.systemTurns++;
    if (turn.role === 'assistant') draft.counts.assistantTurns++;
    if (turn.name !== undefined) {
      draft.counts.names++;
      draft.texts.prose.push(turn.name);
    }
    const parts = index < live ? turn.parts.filter((part) => part.kind !== 'reasoning') : turn.parts;
    readParts(parts, `messages[${index}].content`, 'prose', draft);
  }
}

/** Whether the last turn is the beginning of the answer, and not calls that wait for their results. */
function isPrefilled(request: ChatRequest): boolean {
  const last = request.turns.at(-1);
  return last?.role === 'assistant' && last.parts.every((part) => part.kind === 'text');
}

function countProperties(schema: JsonObject | undefined): number {
  const properties = schema?.['properties'];
  return isObject(properties) ? Object.keys(properties).length : 0;
}

function readTools(tools: readonly Tool[], style: ToolStyle, draft: Draft): void {
  for (const tool of tools) {
    if (tool.kind === 'hosted')
      throw new Uncountable(`'${tool.name}' is a tool that the provider runs: what it adds to the prompt is not known here`);
    if (tool.kind === 'custom') throw new Uncountable(`how the free-text tool '${tool.name}' is shown to the model is not known here`);
    draft.counts.hasTools = 1;
    draft.counts.tools++;
    draft.counts.properties += countProperties(tool.parameters);
  }
  if (tools.length > 0) draft.texts.tool.push(...toolText(tools, style));
}

function refuseElsewhere(request: ChatRequest): void {
  for (const fields of Object.values(request.residue ?? {})) {
    const found = ELSEWHERE.find((name) => fields[name] !== undefined && fields[name] !== null);
    if (found !== undefined) throw new Uncountable(`'${found}' adds text to the prompt that is kept elsewhere`);
    const management = JSON.stringify(fields['context_management'] ?? '');
    if (management.includes('compact')) throw new Uncountable("'context_management' may shorten the prompt before it is read");
  }
}

function thinks(request: ChatRequest): boolean {
  const { reasoning } = request;
  if (!reasoning || reasoning.enabled === false || reasoning.effort === 'none' || reasoning.budgetTokens === 0) return false;
  return (
    reasoning.enabled === true || reasoning.adaptive === true || reasoning.budgetTokens !== undefined || reasoning.effort !== undefined
  );
}

/** Takes a request apart into what costs tokens. Throws `Uncountable` where the cost of something in it cannot be known here. */
export function outline(request: ChatRequest, style: ToolStyle): Outline {
  refuseElsewhere(request);
  const counts = { request: 1, instructions: 0, systemTurns: 0, turns: 0, assistantTurns: 0, prefill: 0, names: 0, calls: 0, results: 0 };
  const draft: Draft = {
    texts: { prose: [], thought: [], call: [], result: [], tool: [], schema: [] },
    images: [],
    counts: {
      ...counts,
      hasTools: 0,
      tools: 0,
      properties: 0,
      forced: 0,
      thinking: thinks(request) ? 1 : 0,
      schemas: 0,
      serial: 0,
      documents: 0,
      seals: 0,
    } as Draft['counts'],
  };
  if (request.instructions.length > 0) draft.counts.instructions = 1;
  readParts(request.instructions, 'system', 'prose', draft);
  readTurns(request, draft);
  readTools(request.tools, style, draft);
  if (isPrefilled(request)) draft.counts.prefill = 1;
  const choice = request.toolChoice?.type;
  if (choice === 'required' || choice === 'tool') draft.counts.forced = 1;
  else if (request.tools.length > 0 && request.parallelToolCalls === false) draft.counts.serial = 1;
  if (request.output?.type === 'json-schema') {
    draft.counts.schemas = 1;
    draft.texts.schema.push(JSON.stringify(request.output.schema));
  }
  return { shape: draft.counts as Shape, texts: draft.texts, images: draft.images };
}
