/** The people of a workshop: who holds a seat and who waits for one, each in the order in which they came. */
export type Line<Person> = { seated: readonly Person[]; waiting: readonly Person[] }

/** A newcomer gets a seat if one is free and nobody waits, else the last place in line. */
export function join<Person>({ seated, waiting }: Line<Person>, person: Person, capacity: number): Line<Person> {
  const seatIsFree = waiting.length === 0 && seated.length < capacity
  return seatIsFree ? { seated: [...seated, person], waiting } : { seated, waiting: [...waiting, person] }
}

/** Whoever leaves leaves the rest in their order. */
export function leave<Person>({ seated, waiting }: Line<Person>, person: Person): Line<Person> {
  return { seated: seated.filter((other) => other !== person), waiting: waiting.filter((other) => other !== person) }
}

/** Free seats go to those who wait longest. */
export function serve<Person>({ seated, waiting }: Line<Person>, capacity: number): Line<Person> {
  const free = capacity - seated.length
  return { seated: [...seated, ...waiting.slice(0, free)], waiting: waiting.slice(free) }
}

/** An organiser's decision: one who waits gets a seat before those who wait longer. Everybody else stays where they are. */
export function letPass<Person>(line: Line<Person>, person: Person): Line<Person> {
  const { seated, waiting } = leave(line, person)
  return { seated: [...seated, person], waiting }
}
