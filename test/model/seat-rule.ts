/** The people of a workshop: those with a seat and those on the waitlist, each in order of registration. */
export type Seating<Person> = { seated: readonly Person[]; waiting: readonly Person[] }

/** A newcomer gets a seat if one is free and nobody is waitlisted, otherwise the last waitlist place. */
export function join<Person>({ seated, waiting }: Seating<Person>, person: Person, capacity: number): Seating<Person> {
  const seatIsFree = waiting.length === 0 && seated.length < capacity
  return seatIsFree ? { seated: [...seated, person], waiting } : { seated, waiting: [...waiting, person] }
}

/** Removes a person; the others keep their order. */
export function leave<Person>({ seated, waiting }: Seating<Person>, person: Person): Seating<Person> {
  return { seated: seated.filter((other) => other !== person), waiting: waiting.filter((other) => other !== person) }
}

/** Gives free seats to the front of the waitlist. */
export function promoteWaiting<Person>({ seated, waiting }: Seating<Person>, capacity: number): Seating<Person> {
  const free = capacity - seated.length
  return { seated: [...seated, ...waiting.slice(0, free)], waiting: waiting.slice(free) }
}

/** Gives a waitlisted person a seat out of turn, as decided by an organiser; the others keep their order. */
export function promoteManually<Person>(line: Seating<Person>, person: Person): Seating<Person> {
  const { seated, waiting } = leave(line, person)
  return { seated: [...seated, person], waiting }
}
