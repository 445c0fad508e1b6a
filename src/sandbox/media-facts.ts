const ascii = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to);

/** Other files by their first bytes: what they are, and what their head says of them. */
export function fileKind(bytes: Buffer): string | undefined {
  const head = ascii(bytes, 0, 16);
  if (head.startsWith('%PDF-')) return `PDF ${/^%PDF-([\d.]+)/.exec(head)?.[1] ?? ''}`.trim();
  if (head.startsWith('PK\u0003\u0004')) return 'ZIP';
  if (head.startsWith('RIFF') && ascii(bytes, 8, 12) === 'WAVE') return wavKind(bytes);
  if (head.startsWith('ID3') || (bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0 && bytes[1] !== 0xd8)) return 'MP3';
  if (head.startsWith('OggS')) return 'Ogg';
  if (head.startsWith('fLaC')) return 'FLAC';
  if (ascii(bytes, 4, 8) === 'ftyp') return 'MP4';
  return undefined;
}

/** WAV: channels and rate are in the `fmt ` chunk, which nearly always comes first. */
function wavKind(bytes: Buffer): string {
  if (bytes.length < 36 || ascii(bytes, 12, 16) !== 'fmt ') return 'WAV';
  return `WAV ${bytes.readUInt32LE(24)} Hz, ${bytes.readUInt16LE(22)} ch`;
}
