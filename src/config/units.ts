const MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as `500ms`, `2s`, `1.5h` or `1m30s`, in milliseconds; `undefined` when it is none. A number alone is none: of what? */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count = '', unit = ''] of text.matchAll(/(?<!\d)(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) total += Number(count) * (MS[unit] ?? 0);
  return Math.round(total);
}

/** A number of units, the largest that leaves no rest; where only the smallest would do, whole ones of the largest that fits, as what is left hardly counts. */
function inUnits(amount: number, units: readonly (readonly [string, number])[]): string {
  const fitting = units.filter(([, size]) => size <= amount).toReversed();
  const [name, size] = fitting.find(([, one], at) => amount % one === 0 && (one > 1 || at < 2)) ?? fitting[0] ?? units[0] ?? ['', 1];
  return `${Math.floor(amount / size)}${name}`;
}

/** Milliseconds as a duration is written: `90s`, `24d`. Above a few seconds what is no whole unit is cut off. */
export const durationText = (ms: number): string => inUnits(ms, Object.entries(MS));

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size such as `32MiB`, `500 kB` or a number of bytes, in bytes; `undefined` when it is none. */
export function sizeBytes(text: string): number | undefined {
  const [, count = '', unit = 'B'] = /^(\d+(?:\.\d+)?) ?([kKMGT]i?B|B)?$/.exec(text) ?? [];
  const bytes = Math.round(Number(count) * (BYTES[unit] ?? Number.NaN));
  return count === '' || !Number.isSafeInteger(bytes) ? undefined : bytes;
}

/** Bytes as a size is written: `16MiB`. */
export const sizeText = (bytes: number): string =>
  inUnits(
    bytes,
    Object.entries(BYTES).filter(([name]) => name === 'B' || name.includes('i')),
  );
