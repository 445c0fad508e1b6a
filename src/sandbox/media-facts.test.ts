import { describe, expect, it } from 'vitest';
import { fileKind } from './media-facts.ts';

const bytes = (...pieces: (string | readonly number[])[]): Buffer =>
  Buffer.concat([
    ...pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece))),
    Buffer.alloc(40),
  ]);

describe('fileKind', () => {
  const wav = bytes('RIFF', [0, 0, 0, 0], 'WAVEfmt ', [16, 0, 0, 0, 1, 0, 2, 0, 0x80, 0xbb, 0, 0]);
  it.each<[file: Buffer, kind: string | undefined]>([
    [Buffer.from('%PDF-1.7\nrest'), 'PDF 1.7'],
    [Buffer.from('PK\u0003\u0004rest'), 'ZIP'],
    [wav, 'WAV 48000 Hz, 2 ch'],
    [wav.subarray(0, 20), 'WAV'],
    [Buffer.from('ID3\u0004'), 'MP3'],
    [Buffer.from([0xff, 0xfb, 0x90, 0]), 'MP3'],
    [Buffer.from('OggS...'), 'Ogg'],
    [Buffer.from('fLaC...'), 'FLAC'],
    [Buffer.from('....ftypisom'), 'MP4'],
    [Buffer.from('hello'), undefined],
    [Buffer.alloc(0), undefined],
  ])('%# is %j', (file, kind) => expect(fileKind(file)).toBe(kind));
});
