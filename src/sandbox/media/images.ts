import { badField, type JsonObject, missingField } from '../../ir/index.ts';
import { type Behaviour, changed } from '../behaviour.ts';
import { countText } from '../count-tokens.ts';
import { readDirectives } from '../directives.ts';
import { type Picture, pictureFile } from '../picture/draw-picture.ts';
import type { Step } from '../play.ts';
import type { MediaOperation } from '../wires.ts';
import { expectVoice, giveEvents, giveJson, type MediaAsk, type MediaEvent, settleWork } from './ask.ts';
import { countField, flagField, type Form, textField, wordField } from './form.ts';
import { type GivenImage, givenImages } from './given-images.ts';

const MAX_SIDE = 4096;
const MAX_PIXELS = 8_294_400;
const LEAST_SIDE = 16;
/** As many letters of a prompt are drawn as could be read. */
const MAX_DRAWN = 2000;
const MAX_PROMPT = 32_000;

/** Reads `1024x1536`; `auto` and nothing are a square. Throws `GatewayError`. */
export function sizeOf(text: string | undefined): { readonly width: number; readonly height: number } {
  if (text === undefined || text === 'auto') return { width: 1024, height: 1024 };
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  const fits = Math.min(width, height) >= LEAST_SIDE && Math.max(width, height) <= MAX_SIDE && width * height <= MAX_PIXELS;
  if (!match || !fits)
    throw badField(
      'size',
      `Invalid size '${text.slice(0, 50)}': the sandbox draws from ${LEAST_SIDE}x${LEAST_SIDE} to ${MAX_SIDE}x2025, or auto`,
    );
  return { width, height };
}

interface Order {
  readonly pictures: readonly Picture[];
  readonly count: number;
  /** The prompt as it was drawn: nothing is changed but the sandbox's own directives. */
  readonly revised: string;
  readonly usage: JsonObject;
  readonly behaviour: Behaviour;
  readonly kind: 'image_generation' | 'image_edit';
  readonly settings: { readonly size: string; readonly quality: string; readonly background: string; readonly output_format: 'png' };
}

/** What was asked for with words, in words. */
function promptOf(form: Form): string {
  const prompt = textField(form, 'prompt');
  if (prompt === undefined || prompt.trim() === '') throw missingField('prompt');
  if ([...prompt].length > MAX_PROMPT)
    throw badField('prompt', `Invalid request: 'prompt' has more than ${MAX_PROMPT} characters`, 'string_above_max_length');
  return prompt;
}

function givenFor(form: Form, what: MediaOperation['what']): readonly GivenImage[] {
  if (what === 'image') return [];
  const given = givenImages(form, ['image', 'images']);
  if (given.length === 0) throw missingField('image');
  return given;
}

/** One line at the foot of a picture: what it is, and what it was made from. */
function captionOf(size: string, given: readonly GivenImage[], masks: readonly GivenImage[], at: string): string {
  const from = given.map(({ facts }) => facts).join(' + ');
  const mask = masks.map(({ facts }) => ` · mask ${facts}`).join('');
  return `${from === '' ? '' : `from ${from}${mask} · `}Pailou sandbox · ${size}${at}`;
}

function orderOf({ form, behaviour: named }: MediaAsk, what: MediaOperation['what']): Order {
  const prompt = what === 'image-variation' ? '' : promptOf(form);
  const { text, changes, refuse, filter } = readDirectives(prompt);
  const given = givenFor(form, what);
  const masks = what === 'image-edit' ? givenImages(form, ['mask']) : [];
  const { width, height } = sizeOf(textField(form, 'size'));
  const count = countField(form, 'n', 1, 10) ?? 1;
  const quality = wordField(form, 'quality', ['auto', 'low', 'medium', 'high', 'standard', 'hd']) ?? 'auto';
  const background = wordField(form, 'background', ['auto', 'opaque', 'transparent']) ?? 'auto';
  wordField(form, 'output_format', ['png']);
  const seed = countField(form, 'seed', -(2 ** 53), 2 ** 53);
  const size = `${width}x${height}`;
  const shown = what === 'image-variation' ? 'Variation' : text;
  const pictures = Array.from({ length: count }, (_, at): Picture => ({
    width,
    height,
    text: [...shown].slice(0, MAX_DRAWN).join(''),
    caption: captionOf(size, given, masks, count > 1 ? ` · ${at + 1}/${count}` : ''),
    seed: `${seed ?? prompt}#${at}`,
    pasted: given.flatMap(({ pixels }) => pixels ?? []),
    transparent: background === 'transparent',
  }));
  const words = countText(text);
  const seen = given.reduce((sum, { pixels }) => sum + (pixels ? Math.ceil((pixels.width * pixels.height) / 750) : 85), 0);
  const output = count * Math.ceil((width * height) / 1000);
  const work = refuse || filter ? ({ end: 'refused' } as const) : {};
  return {
    pictures,
    count,
    revised: shown,
    behaviour: changed(changes.reduce(changed, named), { work }),
    kind: what === 'image' ? 'image_generation' : 'image_edit',
    settings: { size, quality, background, output_format: 'png' },
    usage: {
      input_tokens: words + seen,
      input_tokens_details: { text_tokens: words, image_tokens: seen },
      output_tokens: output,
      total_tokens: words + seen + output,
    },
  };
}

const base64 = (picture: Picture): string => pictureFile(picture).toString('base64');

/** Each picture first in parts, from the top, then whole. */
function* events({ pictures, kind, settings, usage }: Order, partial: number, created_at: number): Iterable<MediaEvent> {
  for (const picture of pictures) {
    for (let at = 0; at < partial; at++) {
      const b64_json = base64({ ...picture, share: (at + 1) / (partial + 1) });
      yield { named: true, data: { type: `${kind}.partial_image`, b64_json, partial_image_index: at, created_at, ...settings } };
    }
    yield { named: true, data: { type: `${kind}.completed`, b64_json: base64(picture), created_at, ...settings, usage } };
  }
}

/**
 * POST /v1/images/generations, /edits and /variations. https://platform.openai.com/docs/api-reference/images
 * There is no server to fetch pictures from: `response_format: "url"` gives data URIs.
 */
export function images(ask: MediaAsk, what: MediaOperation['what']): Iterable<Step> {
  expectVoice(ask, 'image', 'images');
  const { form, now } = ask;
  const order = orderOf(ask, what);
  const asUrl = wordField(form, 'response_format', ['b64_json', 'url']) === 'url';
  const partial = countField(form, 'partial_images', 0, 3) ?? 0;
  const giving = { ...ask, behaviour: order.behaviour };
  settleWork(order.behaviour);
  if (flagField(form, 'stream')) return giveEvents(giving, events(order, partial, now));
  return giveJson(
    giving,
    () => ({
      created: now,
      ...order.settings,
      data: order.pictures.map((picture) => ({
        ...(asUrl ? { url: `data:image/png;base64,${base64(picture)}` } : { b64_json: base64(picture) }),
        revised_prompt: order.revised,
      })),
      usage: order.usage,
    }),
    order.count,
  );
}
