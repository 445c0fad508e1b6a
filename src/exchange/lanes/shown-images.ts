import type { PartHead, ReplyEvent } from '../../ir/index.ts';
import type { ReplyTaker } from './client-stream.ts';

/** Where an image that a model made can be seen: an address for whoever has it. */
export type ShowImage = (data: string, mediaType: string) => Promise<string>;

/** An image whose bytes came with it. */
function inlineImage(part: PartHead): { readonly data: string; readonly mediaType: string } | undefined {
  if (part.kind !== 'media' || part.media !== 'image' || part.source.type !== 'base64') return undefined;
  return { data: part.source.data, mediaType: part.mediaType ?? 'image/png' };
}

/** What of an image stands in the text. */
const markdown = (url: string): string => `![image](${url})\n\n`;

/** A lane's means to wait for something that is not the upstream. */
interface Waiting {
  /** Lets a paused upstream go on. */
  readonly resume: () => void;
  readonly onDefect: (error: unknown) => void;
}

/**
 * Adds to a reply, after each image, a text that shows it, for clients of a dialect whose programs often show nothing but text. While
 * the image is put where it can be seen, what follows waits.
 */
export function createShownImages(inner: ReplyTaker, show: ShowImage | 'inline', { resume, onDefect }: Waiting): ReplyTaker {
  const waiting: ReplyEvent[] = [];
  let isBusy = false;
  let image: ReturnType<typeof inlineImage>;
  let choice = 0;
  let hasText = false;

  const say = (url: string): void => {
    inner.event({ type: 'part-start', part: { kind: 'text' }, ...(choice > 0 ? { choice } : {}) });
    inner.event({ type: 'part-delta', text: (hasText ? '\n\n' : '') + markdown(url) });
    inner.event({ type: 'part-end' });
    hasText = false;
  };
  const goOn = (): void => {
    isBusy = false;
    for (;;) {
      const next = waiting.shift();
      if (!next) return resume();
      take(next);
      if (isBusy) return;
    }
  };
  /** The image itself is told already: without an address only its link is missing. */
  const showIt = ({ data, mediaType }: NonNullable<typeof image>): void => {
    if (show === 'inline') return say(`data:${mediaType};base64,${data}`);
    isBusy = true;
    show(data, mediaType)
      .then(say, onDefect)
      .then(goOn)
      .catch((error: unknown) => {
        onDefect(error);
        inner.event({
          type: 'fault',
          fault: { kind: 'internal', status: 500, message: 'The gateway failed on this request', by: 'gateway' },
        });
      });
  };
  const take = (event: ReplyEvent): void => {
    inner.event(event);
    if (event.type === 'part-start') {
      const at = event.choice ?? 0;
      if (at !== choice) hasText = false;
      choice = at;
      image = inlineImage(event.part);
    } else if (event.type === 'part-delta') hasText ||= image === undefined;
    else if (event.type === 'part-end' && image) {
      const made = image;
      image = undefined;
      showIt(made);
    }
  };
  return {
    event(event) {
      if (isBusy) waiting.push(event);
      else take(event);
    },
    flows: () => inner.flows() && !isBusy,
    soFar: () => inner.soFar(),
    isOver: () => inner.isOver(),
  };
}
