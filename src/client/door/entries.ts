import type { DoorEntry, DoorEntryResults, DoorList } from '../../web/door/sync.ts'

/** The list last fetched, with facts about the response. */
export type StoredList = DoorList & {
  /** When it was requested, in milliseconds by this phone's clock. */
  askedAt: number
  /** The server's clock minus this phone's, in milliseconds. */
  offset: number
  etag: string | null
}

/** `saved`: checked in on this phone, not sent yet. */
export type CheckedIn = { id: string; at: string; by: string; saved?: boolean }

type ListedPerson = DoorList['people'][number]

/** A person on the list, or a walk-in of this phone, who has no number yet. */
export type Person = Omit<ListedPerson, 'seq' | 'checkedIn'> & { seq: number | null; checkedIn: CheckedIn | null }

/** A person as cards name them. */
export type PersonRef = Pick<Person, 'id' | 'name' | 'seq' | 'tail'>

export type Board = DoorList['boards'][number]

/** The list with the pending entries applied. */
export type DoorState = Omit<StoredList, 'people' | 'boards'> & { people: Person[]; boards: Board[] }

export type EntryKind = DoorEntry['kind']

/** An entry of POST /door/entries. */
export type Entry<Kind extends EntryKind> = Extract<DoorEntry, { kind: Kind }> &
  (Kind extends 'walk_in' ? { name: string; phone: string } : unknown)

/**
 * An entry as the phone stores it. Stored records outlive updates: the names of their fields never change.
 */
export type EntryRecord<Kind extends EntryKind = EntryKind> = {
  [K in Kind]: {
    /** Its key in the store. */
    n: number
    entry: Entry<K>
    /** Names as they were on the screen, for conflicts about people who have left the list since. */
    about?: { person?: string; board?: string } | undefined
    /** The slug of the workshop at whose door it was made. */
    workshop: string | undefined
    savedAt: number
    sentAt?: number
    result?: DoorEntryResults[K]
    /** The outcome that a helper has seen. */
    told?: string
  }
}[Kind]

/** An entry whose result differs from what the screen showed, with the details of the result. */
export type Conflict = {
  record: EntryRecord
  outcome: string
  checkedIn?: CheckedIn | null
  by?: string | null
  serial?: string
  place?: number
}

export type Counts = { in: number; seats: number; standing: number }
