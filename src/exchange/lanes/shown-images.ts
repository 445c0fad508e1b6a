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
interface Pause {
  /** Lets a paused upstream go on. */
  readonly resume: () => void;
  readonly onDefect: (error: unknown) => void;
}

type Image = NonNullable<ReturnType<typeof inlineImage>>;

/** What the pieces below share. */
interface Showing {
  readonly inner: ReplyTaker;
  readonly show: ShowImage | 'inline';
  readonly pause: Pause;
  /** What came while an image is put where it can be seen. */
  readonly waiting: ReplyEvent[];
  isBusy: boolean;
  /** The image that is open. */
  image: Image | undefined;
  /** Where it, or what came last, stands … */
  choice: number;
  /** … and whether text stands before it. */
  hasText: boolean;
}

function take(showing: Showing, event: ReplyEvent): void {
  showing.inner.event(event);
  if (event.type === 'part-start') {
    const at = event.choice ?? 0;
    if (at !== showing.choice) showing.hasText = false;
    showing.choice = at;
    showing.image = inlineImage(event.part);
  } else if (event.type === 'part-delta') showing.hasText ||= showing.image === undefined;
  else if (event.type === 'part-end' && showing.image) {
    const made = showing.image;
    showing.image = undefined;
    showIt(showing, made);
  }
}

/** The image itself is told already: without an address only its link is missing. */
function showIt(showing: Showing, { data, mediaType }: Image): void {
  const { inner, show, pause } = showing;
  if (show === 'inline') return say(showing, `data:${mediaType};base64,${data}`);
  showing.isBusy = true;
  show(data, mediaType)
    .then((url) => say(showing, url), pause.onDefect)
    .then(() => goOn(showing))
    .catch((error: unknown) => {
      pause.onDefect(error);
      inner.event({
        type: 'fault',
        fault: { kind: 'internal', status: 500, message: 'The gateway failed on this request', by: 'gateway' },
      });
    });
}

function say(showing: Showing, url: string): void {
  const { inner, choice, hasText } = showing;
  inner.event({ type: 'part-start', part: { kind: 'text' }, ...(choice > 0 ? { choice } : {}) });
  inner.event({ type: 'part-delta', text: (hasText ? '\n\n' : '') + markdown(url) });
  inner.event({ type: 'part-end' });
  showing.hasText = false;
}

/** Takes what has waited, as far as the next image that must be put somewhere. */
function goOn(showing: Showing): void {
  showing.isBusy = false;
  for (;;) {
    const next = showing.waiting.shift();
    if (!next) return showing.pause.resume();
    take(showing, next);
    if (showing.isBusy) return;
  }
}

/**
 * Adds to a reply, after each image, a text that shows it, for clients of a dialect whose programs often show nothing but text. While
 * the image is put where it can be seen, what follows waits.
 */
export function createShownImages(inner: ReplyTaker, show: ShowImage | 'inline', pause: Pause): ReplyTaker {
  const showing: Showing = { inner, show, pause, waiting: [], isBusy: false, image: undefined, choice: 0, hasText: false };
  return {
    event(event) {
      if (showing.isBusy) showing.waiting.push(event);
      else take(showing, event);
    },
    flows: () => inner.flows() && !showing.isBusy,
    soFar: () => inner.soFar(),
    isOver: () => inner.isOver(),
  };
}
