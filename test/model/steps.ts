import fc from 'fast-check'
import type { Announced, Announcement, Audience, By, City, Event, Status, Who } from './model.ts'
import type { Entrant, Play } from './play.ts'

type Verbs = {
  [Verb in keyof Play as Play[Verb] extends (...args: never[]) => Promise<unknown> ? Verb : never]: Play[Verb]
}
export type Verb = Exclude<keyof Verbs, 'announce' | 'end'>
/** A step is what one may write in a script: a verb of the play and what it is said of. */
export type Step = { [V in Verb]: [verb: V, ...args: Parameters<Play[V]>] }[Verb]

/** Takes a step and gives what it was answered. */
export async function take(play: Play, [verb, ...args]: Step): Promise<unknown> {
  play.answered = undefined
  await (play[verb] as (...args: unknown[]) => Promise<unknown>).apply(play, args)
  return play.answered
}

/** The play as lines to paste into a test. */
export function scriptOf(announcement: Announcement, steps: readonly Step[]): string {
  return [
    'await using world = await createWorld()',
    `const play = await startPlay(world, ${literal(announcement)})`,
    ...steps.map(([verb, ...args]) => `await play.${verb}(${args.map(literal).join(', ')})`),
    'await play.end()',
  ].join('\n')
}

const hour = 60
const day = 24 * hour

// Few people, few seats and favourites among both, so that they get in each other's way.
const person = oneOf({ anna: 5, bob: 4, carol: 4, dave: 3, erin: 3, fay: 3, Anna: 1, Bob: 1 })
const who: fc.Arbitrary<Who> = fc.oneof(
  { weight: 2, arbitrary: person },
  {
    weight: 1,
    arbitrary: oneOf<Who>({
      'confirmed in shanghai': 3,
      'confirmed in nanjing': 2,
      'offered in shanghai': 1,
      'waitlisted in shanghai': 1,
    }),
  },
)
const invited: fc.Arbitrary<Who> = fc.oneof(
  { weight: 1, arbitrary: person },
  { weight: 2, arbitrary: oneOf<Who>({ 'offered in shanghai': 2, 'offered in nanjing': 1 }) },
)
const city = oneOf<City>({ shanghai: 13, nanjing: 6, xian: 1 })
const waiting: fc.Arbitrary<Who> = fc.oneof(
  { weight: 1, arbitrary: person },
  { weight: 3, arbitrary: oneOf<Who>({ 'waitlisted in shanghai': 3, 'waitlisted in nanjing': 1 }) },
)
const several = fc.array(who, { minLength: 1, maxLength: 4 })
const name = oneOf({ anna: 3, bob: 2, carol: 1, zoe: 1 })
const venue = fc.constantFrom('the hall', 'room 1', 'room 2')
const yes = fc.constantFrom(true, true, false)
const message = fc.integer({ min: 1, max: 6 })
const audience = oneOf<Audience['of']>({ shanghai: 5, campaign: 5, nanjing: 2, xian: 1 })
const status: fc.Arbitrary<Status | undefined> = fc.constantFrom(
  ...([undefined, undefined, 'confirmed', 'waitlisted', 'offered', 'cancelled'] as const),
)
const by = fc.constantFrom<By>('attendee', 'organiser')
const capacity = fc.constantFrom(1, 1, 1, 2, 1, 2, 3, 4)

const announced: fc.Arbitrary<Announced> = fc.record({
  capacity,
  waitlist: fc.constantFrom(true, true, true, true, false),
  startsAt: fc.constantFrom(4 * day, 2 * day),
  opensAt: fc.constantFrom(undefined, undefined, undefined, undefined, 5),
  closesAt: fc.constantFrom(undefined, undefined, 3 * day, day),
  confirmHours: fc.constantFrom(undefined, 2, 24),
})

/** Two workshops of a campaign and perhaps a third, of the campaign or not. */
export function announcement(oneSeatPerPerson: boolean): fc.Arbitrary<Announcement> {
  return fc.record({
    oneSeatPerPerson: fc.constant(oneSeatPerPerson),
    workshops: fc.record(
      {
        shanghai: announced,
        nanjing: announced,
        xian: fc.oneof(
          announced,
          announced.map((workshop) => ({ ...workshop, alone: true })),
        ),
      },
      { requiredKeys: ['shanghai', 'nanjing'] },
    ),
  })
}

const entrant: fc.Arbitrary<Entrant> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(person, city) },
  { weight: 1, arbitrary: fc.tuple(person, city, fc.constantFrom('k1', 'k2', 'k3')) },
)

/** Anything that a person or an organiser may do, or time, and how often in comparison. */
const mix = [
  often(78, 'signUp', person, city),
  often(36, 'signUpTogether', fc.array(entrant, { minLength: 1, maxLength: 5 })),
  often(4, 'signUpElsewhere', person, city),
  often(15, 'retry', person),
  often(36, 'cancel', who, by),
  often(27, 'takeOffer', invited),
  often(12, 'passOnOffers'),
  often(30, 'move', who, city),
  often(12, 'changeCapacity', city, capacity),
  often(6, 'keepWaitlist', city, fc.constantFrom(true, true, false)),
  often(4, 'offerFor', city, fc.constantFrom(2, 24, null)),
  often(2, 'close', city),
  often(10, 'reopen', city),
  often(2, 'cancelWorkshop', city),
  often(8, 'startIn', city, fc.constantFrom(2 * day, 3 * hour, 2 * day, 2 * day, 0), yes),
  often(6, 'changeVenue', city, venue, yes),
  often(3, 'unpublish', city),
  often(15, 'promote', waiting, yes),
  often(9, 'confirmFor', invited),
  often(9, 'merge', who, who),
  often(4, 'tellApart', name),
  often(9, 'edit', who, fc.record({ name, person }, { requiredKeys: [] })),
  often(12, 'addByHand', person, city),
  often(3, 'addByHand', person, city, fc.constantFrom('k1', 'k2', 'by hand')),
  often(6, 'cancelTogether', several),
  often(8, 'moveTogether', several, city),
  often(9, 'send', message, audience, status),
  often(4, 'copyMonth', fc.integer({ min: 1, max: 3 })),
  often(15, 'correctEmail', who, person),
  often(9, 'erase', who, by),
  often(30, 'wait', fc.constantFrom(9, 1, hour, 3 * hour)),
  often(2, 'waitUntil', fc.constantFrom<Event>('opensAt', 'closesAt', 'startsAt', 'endsAt'), city),
]
const step: fc.Arbitrary<Step> = fc.oneof(...mix)

/** Every kind of step. */
export const verbs: ReadonlySet<Verb> = new Set(mix.map(({ verb }) => verb))

const times = (most: number) => fc.integer({ min: 1, max: most })

/** What random steps would hardly ever come to one after another. */
const stories: Record<string, fc.Arbitrary<Step[]>> = {
  theNewsletterGoesOut: fc
    .tuple(fc.shuffledSubarray(['anna', 'bob', 'carol', 'dave', 'erin', 'fay'], { minLength: 3 }), city)
    .map(([everyone, where]) => [['signUpTogether', everyone.map((who): Entrant => [who, where])]]),
  changingOnesMind: fc
    .tuple(person, city, times(6))
    .map(([who, where, n]) => repeated(n, ['signUp', who, where], ['cancel', who, 'attendee'])),
  pestering: fc
    .tuple(person, city, fc.constantFrom(2, 9, 11), fc.constantFrom(0, 21 * hour))
    .map(([who, where, n, pause]) => [
      ...repeated(n, ['signUp', who, where], ['wait', 10]),
      ['wait', pause],
      ['cancel', who, 'attendee'],
      ['signUp', who, where],
    ]),
  mistyping: fc
    .tuple(who, times(3))
    .map(([one, n]) => [
      ['correctEmail', one, 'gus'],
      ...repeated(n, ['correctEmail', 'gus', 'hal'], ['correctEmail', 'hal', 'gus']),
    ]),
  leavingWhileClosed: fc.tuple(who, who, city).map(([one, other, where]) => [
    ['close', where],
    ['cancel', one, 'attendee'],
    ['correctEmail', other, 'hal'],
    ['cancel', other, 'organiser'],
    ['reopen', where],
  ]),
  takingTooLate: fc
    .tuple(invited, city)
    .map(([one, where]) => [['waitUntil', 'deadline', where], ['takeOffer', one], ['passOnOffers']]),
  offersUntilAnEarlierStart: fc.tuple(invited, city).map(([one, where]) => [
    ['startIn', where, hour],
    ['waitUntil', 'deadline', where],
    ['takeOffer', one],
  ]),
  lettingSomebodyPass: fc.tuple(waiting, yes, who, city).map(([one, add, other, where]) => [
    ['promote', one, add],
    ['cancel', other, 'organiser'],
    ['addByHand', 'gus', where],
    ['promote', 'gus', true],
    ['move', 'gus', 'nanjing'],
    ['promote', 'gus', add],
  ]),
  oneWithTwoAddresses: fc.tuple(person, city, name).map(([who, where, as]) => [
    ['addByHand', who, where],
    ['edit', who, { name: as }],
    ['addByHand', 'gus', where],
    ['edit', 'gus', { name: as }],
    ['merge', 'gus', who],
    ['merge', who, 'gus'],
  ]),
  movingSeveral: fc.tuple(by, oneOf({ nanjing: 3, shanghai: 1 })).map(([by, where]) => [
    ['addByHand', 'gus', 'shanghai'],
    ['addByHand', 'hal', 'nanjing'],
    ['moveTogether', ['gus', 'hal'], where],
    ['cancel', 'hal', by],
    ['moveTogether', ['gus', 'confirmed in shanghai', 'waitlisted in nanjing'], 'shanghai'],
  ]),
  sayingYesForThem: oneOf<'shanghai' | 'nanjing'>({ shanghai: 2, nanjing: 1 }).map((where) => [
    ['offerFor', where, 24],
    ['addByHand', 'gus', where],
    ['addByHand', 'hal', where],
    ['cancel', `confirmed in ${where}`, 'organiser'],
    ['confirmFor', `offered in ${where}`],
  ]),
  severalOfOneName: fc.tuple(person, city, name).map(([who, where, as]) => [
    ['addByHand', 'gus', where],
    ['edit', 'gus', { name: as }],
    ['edit', who, { name: as }],
    ['tellApart', as],
    ['addByHand', 'hal', where],
    ['edit', 'hal', { name: as }],
    ['edit', 'gus', { name: 'zoe' }],
  ]),
  writingBeforeTheyGoElsewhere: fc.tuple(message, audience, who, city).map(([what, to, one, where]) => [
    ['send', what, to],
    ['edit', one, { person: 'hal' }],
    ['move', 'hal', where],
    ['send', what, to],
  ]),
  takingBackWhatNobodyWants: fc.tuple(city, several, person).map(([where, everyone, one]) => [
    ['cancelTogether', everyone],
    ['unpublish', where],
    ['signUp', one, where],
    ['move', one, where],
    ['reopen', where],
  ]),
  leavingBeforeItIsPutOff: fc.tuple(who, who, city).map(([one, other, where]) => [
    ['startIn', where, 0],
    ['cancel', one, 'organiser'],
    ['erase', other, 'organiser'],
    ['startIn', where, 2 * day],
  ]),
}

/** A script of up to 60 steps. */
export const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 60, arbitrary: step.map((one) => [one]) },
      { weight: 5, arbitrary: stories.theNewsletterGoesOut as fc.Arbitrary<Step[]> },
      ...Object.values(stories).map((arbitrary) => ({ weight: 1, arbitrary })),
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((parts) => parts.flat().slice(0, 60))

function repeated(times: number, ...steps: Step[]): Step[] {
  return Array<Step[]>(times).fill(steps).flat()
}

type Arbitraries<Values extends unknown[]> = {
  [N in keyof Values]: fc.Arbitrary<Exclude<Values[N], undefined> | Values[N]>
}

function often<V extends Verb>(
  weight: number,
  verb: V,
  ...args: Arbitraries<Parameters<Play[V]>>
): { weight: number; verb: V; arbitrary: fc.Arbitrary<Step> } {
  const said = fc.tuple(...(args as unknown as fc.Arbitrary<unknown>[]))
  return { weight, verb, arbitrary: said.map((words) => [verb, ...words] as unknown as Step) }
}

/** One of these words, each as often as its number says; scripts shrink to the first. */
function oneOf<Word extends string>(words: Record<Word, number>): fc.Arbitrary<Word> {
  const pile = Object.entries<number>(words).flatMap(([word, times]) => Array<string>(times).fill(word))
  return fc.constantFrom(...(pile as Word[]))
}

/** A value as one writes it in TypeScript. */
function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const given = Object.entries(value).filter(([, field]) => field !== undefined)
  const fields = given.map(([name, field]) => `${name}: ${literal(field)}`)
  return `{ ${fields.join(', ')} }`
}
