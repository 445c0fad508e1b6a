/** What the encoding thread is asked. One stream's steps come in order. */
export type Mp3Job =
  | { readonly id: number; readonly stream: number; readonly step: 'begin'; readonly sampleRate: number }
  | { readonly id: number; readonly stream: number; readonly step: 'encode'; readonly samples: Uint8Array }
  | { readonly id: number; readonly stream: number; readonly step: 'end' }
  /** Nobody wants the rest. */
  | { readonly id: number; readonly stream: number; readonly step: 'drop' };

/** Its answer to one job. */
export interface Mp3Answer {
  readonly id: number;
  /** Absent: it could not be done. */
  readonly bytes?: Uint8Array;
}
