/** Something that the target could not say as the client did. Shown in `x-pailou-notes` and the record; with `strict` a 400. */
export interface Note {
  /** The client's field, as it is named on the client's wire where that is known. */
  readonly field: string;
  readonly what: 'dropped' | 'approximated' | 'moved' | 'emulated';
  readonly why: string;
}

/** Where encoders leave notes. */
export interface Notes {
  add(field: string, what: Note['what'], why: string): void;
  readonly list: readonly Note[];
}

/** A fresh, bounded list of notes: the same one twice is one note, and no more than 64 are kept. */
export function createNotes(): Notes {
  const list: Note[] = [];
  return {
    list,
    add(field, what, why) {
      if (list.length < 64 && !list.some((note) => note.field === field && note.what === what)) list.push({ field, what, why });
    },
  };
}
