import { type Canvas, drawText, fillRect, OWN } from '../picture/canvas.ts';
import { drawPicture, INK, type Picture } from '../picture/draw-picture.ts';
import { encodePng } from '../picture/png.ts';
import { createFrameEncoder, pictureSet, sequenceSet } from './h264.ts';
import { encodeMp4 } from './mp4.ts';

/** What a film is to show: a picture, a clock in its corner and a bar at its foot that grows. */
export interface Film {
  readonly picture: Picture;
  readonly seconds: number;
}

const FRAMES_PER_SECOND = 10;
const BAR = 16;

/** Draws the state of one frame over the last. */
function drawMoment(canvas: Canvas, at: number, frames: number): void {
  const { width, height } = canvas;
  fillRect(canvas, 0, height - BAR, Math.round((width * (at + 1)) / frames), BAR, INK);
  if (at % FRAMES_PER_SECOND > 0) return;
  const clock = `${Math.floor(at / FRAMES_PER_SECOND)} / ${frames / FRAMES_PER_SECOND} s`;
  fillRect(canvas, 0, 0, 8 * clock.length + 16, BAR, OWN);
  drawText(canvas, clock, 8, 0, 1, INK);
}

const drawn = ({ picture }: Film): Canvas => drawPicture({ ...picture, caption: '' });

/** Makes a film as MP4 (H.264). The same film always gives the same bytes. */
export function filmFile(film: Film): Buffer {
  const canvas = drawn(film);
  const { width, height, palette } = canvas;
  const encoder = createFrameEncoder(width, height, palette);
  const count = film.seconds * FRAMES_PER_SECOND;
  const frames: Buffer[] = [];
  for (let at = 0; at < count; at++) {
    drawMoment(canvas, at, count);
    frames.push(encoder.frame(canvas));
  }
  return encodeMp4({
    width,
    height,
    framesPerSecond: FRAMES_PER_SECOND,
    sequenceSet: sequenceSet(width, height),
    pictureSet: pictureSet(),
    frames,
  });
}

/** One moment of a film as PNG; `at` is a share of its length. */
export function stillFile(film: Film, at: number): Buffer {
  const canvas = drawn(film);
  const count = film.seconds * FRAMES_PER_SECOND;
  const whole = Math.min(count - 1, Math.floor(at * count));
  drawMoment(canvas, whole - (whole % FRAMES_PER_SECOND), count);
  drawMoment(canvas, whole, count);
  return encodePng(canvas);
}
