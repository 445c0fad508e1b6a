import type { MediaTarget } from '../codec.ts';

/** A speed within what a provider takes; what it does not is noted. */
export function clampedSpeed(
  speed: number | undefined,
  min: number,
  max: number,
  { notes }: Pick<MediaTarget, 'notes'>,
): number | undefined {
  if (speed === undefined) return undefined;
  const within = Math.min(max, Math.max(min, speed));
  if (within !== speed) notes.add('speed', 'approximated', `the provider speaks at ${min} to ${max}`);
  return within;
}

/** Notes what a provider cannot be told. */
export function dropped(value: unknown, field: string, { notes }: Pick<MediaTarget, 'notes'>): void {
  if (value !== undefined) notes.add(field, 'dropped', 'the provider has no such setting for speech');
}
