/** The people of a workshop: who holds a seat and who waits for one, each in the order in which they came. */
export type Seating<Person> = { seated: readonly Person[]; waiting: readonly Person[] }

/** A newcomer gets a seat if one is free and nobody waits, else the last place in line. */
export function join<Person>({ seated, waiting }: Seating<Person>, person: Person, capacity: number): Seating<Person> {
  const seatIsFree = waiting.length === 0 && seated.length < capacity
  return seatIsFree ? { seated: [...seated, person], waiting } : { seated, waiting: [...waiting, person] }
}

/** Whoever leaves leaves the rest in their order. */
export function leave<Person>({ seated, waiting }: Seating<Person>, person: Person): Seating<Person> {
  return { seated: seated.filter((other) => other !== person), waiting: waiting.filter((other) => other !== person) }
}

/** Free seats go to those who wait longest. */
export function promoteWaiting<Person>({ seated, waiting }: Seating<Person>, capacity: number): Seating<Person> {
  const free = capacity - seated.length
  return { seated: [...seated, ...waiting.slice(0, free)], waiting: waiting.slice(free) }
}

/** An organiser's decision: one who waits gets a seat before those who wait longer. Everybody else stays where they are. */
export function promoteManually<Person>(line: Seating<Person>, person: Person): Seating<Person> {
  const { seated, waiting } = leave(line, person)
  return { seated: [...seated, person], waiting }
}
