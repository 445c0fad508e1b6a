import { createSseReader, type SseFrame } from '../../src/wire/sse.ts';
import { chatChunk, geminiReply, messagesReply, responsesReply } from './answer-shapes.ts';
import type { Expected } from './examples.ts';
import { type Shape, shapeProblems } from './shape.ts';

type StreamKind = Exclude<Expected['kind'], 'json'>;

function framesOf(body: string): readonly SseFrame[] {
  const frames: SseFrame[] = [];
  const reader = createSseReader();
  reader.push(Buffer.from(body), (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  return frames;
}

interface Chunk {
  readonly choices?: readonly {
    readonly delta?: { readonly role?: string; readonly content?: string };
    readonly finish_reason?: string | null;
  }[];
}

/** First the role, then text, then the reason on a chunk of its own, then `[DONE]`; nothing that was not asked for. */
function chatStream(body: string): readonly string[] {
  const frames = framesOf(body).map((frame) => frame.data);
  if (frames.at(-1) !== '[DONE]') return ['the stream does not end in [DONE]'];
  const chunks = frames.slice(0, -1).map((data) => JSON.parse(data) as Chunk);
  const choices = chunks.map((chunk) => chunk.choices?.[0]);
  const text = choices.map((choice) => choice?.delta?.content ?? '').join('');
  return [
    ...chunks.flatMap((chunk, index) => shapeProblems(chunk, chatChunk, `chunk[${index}]`)),
    ...(choices[0]?.delta?.role === 'assistant' ? [] : ['the first chunk does not name the role']),
    ...(choices.at(-1)?.finish_reason === 'stop' ? [] : ['the last chunk does not say why it ended']),
    ...(choices.filter((choice) => choice?.finish_reason !== null).length === 1 ? [] : ['not exactly one chunk ends the answer']),
    ...(text === '' ? ['there is no text'] : []),
  ];
}

interface Named {
  readonly type?: string;
  readonly delta?: { readonly text?: string } | string;
  readonly response?: unknown;
  readonly message?: unknown;
}

/** Events of a stream that names them: the name and the type in the data are the same. */
function namedEvents(body: string): { readonly events: readonly Named[]; readonly problems: readonly string[] } {
  const frames = framesOf(body);
  const events = frames.map((frame) => JSON.parse(frame.data) as Named);
  const problems = frames.flatMap((frame, index) =>
    frame.event === events[index]?.type ? [] : [`event ${index} is named ${frame.event} and is of type ${events[index]?.type}`],
  );
  return { events, problems };
}

/** The types of events in a row, repeated ones once. */
const course = (events: readonly Named[]): readonly (string | undefined)[] =>
  events.map((event) => event.type).filter((type, index, all) => type !== 'ping' && type !== all[index - 1]);

function sameCourse(events: readonly Named[], expected: readonly string[]): readonly string[] {
  const found = course(events);
  return JSON.stringify(found) === JSON.stringify(expected) ? [] : [`the events are ${found.join(', ')}, not ${expected.join(', ')}`];
}

function responsesStream(body: string): readonly string[] {
  const { events, problems } = namedEvents(body);
  const expected = [
    'created',
    'in_progress',
    'output_item.added',
    'content_part.added',
    'output_text.delta',
    'output_text.done',
    'content_part.done',
    'output_item.done',
    'completed',
  ];
  return [
    ...problems,
    ...sameCourse(
      events,
      expected.map((type) => `response.${type}`),
    ),
    ...shapeProblems(events.at(-1)?.response, responsesReply, 'response'),
  ];
}

function messagesStream(body: string): readonly string[] {
  const { events, problems } = namedEvents(body);
  const expected = ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'];
  const message: Shape = { ...(messagesReply as Record<string, Shape>), content: 'object', stop_reason: 'null' };
  const started = events[0]?.message as Record<string, unknown> | undefined;
  const empty = Array.isArray(started?.['content']) ? { ...started, content: {} } : started;
  return [...problems, ...sameCourse(events, expected), ...shapeProblems(empty, message, 'message')];
}

/** Every element has the shape of a reply; only the last says why it ended. */
function geminiElements(elements: readonly unknown[]): readonly string[] {
  const { candidates: _whole, ...rest } = geminiReply as Record<string, Shape>;
  const part: Shape = {
    modelVersion: rest['modelVersion'] as Shape,
    responseId: rest['responseId'] as Shape,
    candidates: [{ content: { role: '=model' } }],
  };
  const last: Shape = { ...rest, candidates: [{ finishReason: '=STOP' }] };
  const text = JSON.stringify(elements).includes('"text":"');
  return [
    ...elements.slice(0, -1).flatMap((element, index) => shapeProblems(element, part, `element[${index}]`)),
    ...shapeProblems(elements.at(-1), last, 'the last element'),
    ...(text && elements.length > 1 ? [] : ['there is no text, or no stream']),
  ];
}

/** What is wrong with a streamed answer; nothing when it is as its protocol wants it. */
export function streamProblems(kind: StreamKind, body: string): readonly string[] {
  switch (kind) {
    case 'chat-stream':
      return chatStream(body);
    case 'responses-stream':
      return responsesStream(body);
    case 'messages-stream':
      return messagesStream(body);
    case 'gemini-stream':
      return geminiElements(framesOf(body).map((frame) => JSON.parse(frame.data) as unknown));
    case 'gemini-array':
      return geminiElements(JSON.parse(body) as unknown[]);
  }
}
