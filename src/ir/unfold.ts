import type { Emit, PartHead } from './event.ts';
import type { Part } from './part.ts';
import type { Reply } from './reply.ts';

function unfoldPart(part: Part, choice: number, emit: Emit): void {
  const at = choice > 0 ? { choice } : {};
  const start = (head: PartHead, text: string): void => {
    emit({ type: 'part-start', part: head, ...at });
    if (text !== '') emit({ type: 'part-delta', text });
  };
  const seal = 'seal' in part && part.seal ? { seal: part.seal } : {};
  switch (part.kind) {
    case 'text': {
      const { text, citations, logprobs, seal: _seal, ...head } = part;
      start(head, text);
      if (citations || logprobs) emit({ type: 'part-note', ...(citations ? { citations } : {}), ...(logprobs ? { logprobs } : {}) });
      break;
    }
    case 'refusal': {
      const { text, ...head } = part;
      start(head, text);
      break;
    }
    case 'reasoning': {
      const { text, seal: _seal, ...head } = part;
      start(head, text);
      break;
    }
    case 'tool-call': {
      const { argumentsJson, seal: _seal, ...head } = part;
      start(head, argumentsJson);
      break;
    }
    case 'tool-result':
      return; // A model does not make one; hosted results have a kind of their own.
    default:
      start(part, '');
  }
  emit({ type: 'part-end', ...seal });
}

/** Tells a whole reply as the events that it would have come as. `collect` gives the reply back. */
export function unfold(reply: Reply, emit: Emit): void {
  const { id, model, createdAt, serviceTier, residue } = reply;
  emit({
    type: 'reply-start',
    id,
    model,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(residue ? { residue } : {}),
  });
  for (const part of reply.parts) unfoldPart(part, 0, emit);
  reply.others?.forEach((other, index) => {
    for (const part of other.parts) unfoldPart(part, index + 1, emit);
  });
  if (reply.usage) emit({ type: 'usage', usage: reply.usage });
  emit({ type: 'reply-end', stop: reply.stop, ...(reply.others ? { others: reply.others.map((other) => other.stop) } : {}) });
}
