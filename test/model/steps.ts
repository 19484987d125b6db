import fc from 'fast-check'
import type {
  Audience,
  CampaignSetup,
  CancelledBy,
  City,
  PersonRef,
  ScheduledEvent,
  Status,
  WorkshopSetup,
} from './model.ts'
import type { Scenario, SignUpSpec } from './scenario.ts'

type Actions = {
  [Verb in keyof Scenario as Scenario[Verb] extends (...args: never[]) => Promise<unknown>
    ? Verb
    : never]: Scenario[Verb]
}
export type Action = Exclude<keyof Actions, 'createCampaign' | 'finish'>
/** A step of a script: an action of the scenario with its arguments. */
export type Step = { [V in Action]: [action: V, ...args: Parameters<Scenario[V]>] }[Action]

/** Runs a step and returns its result. */
export async function runStep(scenario: Scenario, [action, ...args]: Step): Promise<unknown> {
  scenario.lastResult = undefined
  await (scenario[action] as (...args: unknown[]) => Promise<unknown>).apply(scenario, args)
  return scenario.lastResult
}

/** Renders the script as lines to paste into a test. */
export function renderScript(setup: CampaignSetup, steps: readonly Step[]): string {
  return [
    'await using world = await createWorld()',
    `const scenario = await startScenario(world, ${formatLiteral(setup)})`,
    ...steps.map(([action, ...args]) => `await scenario.${action}(${args.map(formatLiteral).join(', ')})`),
    'await scenario.finish()',
  ].join('\n')
}

const hour = 60
const day = 24 * hour

// Few people and few seats, weighted towards some of each, so that they conflict.
const person = weightedChoice({ anna: 5, bob: 4, carol: 4, dave: 3, erin: 3, fay: 3, Anna: 1, Bob: 1 })
const personRef: fc.Arbitrary<PersonRef> = fc.oneof(
  { weight: 2, arbitrary: person },
  {
    weight: 1,
    arbitrary: weightedChoice<PersonRef>({
      'confirmed in shanghai': 3,
      'confirmed in nanjing': 2,
      'offered in shanghai': 1,
      'waitlisted in shanghai': 1,
    }),
  },
)
const offeredPerson: fc.Arbitrary<PersonRef> = fc.oneof(
  { weight: 1, arbitrary: person },
  { weight: 2, arbitrary: weightedChoice<PersonRef>({ 'offered in shanghai': 2, 'offered in nanjing': 1 }) },
)
const city = weightedChoice<City>({ shanghai: 13, nanjing: 6, xian: 1 })
const waitlistedPerson: fc.Arbitrary<PersonRef> = fc.oneof(
  { weight: 1, arbitrary: person },
  { weight: 3, arbitrary: weightedChoice<PersonRef>({ 'waitlisted in shanghai': 3, 'waitlisted in nanjing': 1 }) },
)
const people = fc.array(personRef, { minLength: 1, maxLength: 4 })
const name = weightedChoice({ anna: 3, bob: 2, carol: 1, zoe: 1 })
const venue = fc.constantFrom('the hall', 'room 1', 'room 2')
const mostlyTrue = fc.constantFrom(true, true, false)
const message = fc.integer({ min: 1, max: 6 })
const audience = weightedChoice<Audience['target']>({ shanghai: 5, campaign: 5, nanjing: 2, xian: 1 })
const status: fc.Arbitrary<Status | undefined> = fc.constantFrom(
  ...([undefined, undefined, 'confirmed', 'waitlisted', 'offered', 'cancelled'] as const),
)
const cancelledBy = fc.constantFrom<CancelledBy>('attendee', 'organiser')
const capacity = fc.constantFrom(1, 1, 1, 2, 1, 2, 3, 4)

const workshopSetup: fc.Arbitrary<WorkshopSetup> = fc.record({
  capacity,
  waitlist: fc.constantFrom(true, true, true, true, false),
  startsAt: fc.constantFrom(4 * day, 2 * day),
  opensAt: fc.constantFrom(undefined, undefined, undefined, undefined, 5),
  closesAt: fc.constantFrom(undefined, undefined, 3 * day, day),
  confirmHours: fc.constantFrom(undefined, 2, 24),
})

/** Two workshops of a campaign and possibly a third, inside the campaign or standalone. */
export function campaignSetup(oneSeatPerPerson: boolean): fc.Arbitrary<CampaignSetup> {
  return fc.record({
    oneSeatPerPerson: fc.constant(oneSeatPerPerson),
    workshops: fc.record(
      {
        shanghai: workshopSetup,
        nanjing: workshopSetup,
        xian: fc.oneof(
          workshopSetup,
          workshopSetup.map((workshop) => ({ ...workshop, standalone: true })),
        ),
      },
      { requiredKeys: ['shanghai', 'nanjing'] },
    ),
  })
}

const signUpSpec: fc.Arbitrary<SignUpSpec> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(person, city) },
  { weight: 1, arbitrary: fc.tuple(person, city, fc.constantFrom('k1', 'k2', 'k3')) },
)

/** Everything a person, an organiser or time can do, weighted by how often. */
const weightedActions = [
  weighted(78, 'signUp', person, city),
  weighted(36, 'signUpBatch', fc.array(signUpSpec, { minLength: 1, maxLength: 5 })),
  weighted(4, 'signUpOnLaggingServer', person, city),
  weighted(15, 'retry', person),
  weighted(36, 'cancel', personRef, cancelledBy),
  weighted(27, 'acceptOffer', offeredPerson),
  weighted(12, 'expireOffers'),
  weighted(30, 'move', personRef, city),
  weighted(12, 'changeCapacity', city, capacity),
  weighted(6, 'setWaitlist', city, fc.constantFrom(true, true, false)),
  weighted(4, 'setOfferHours', city, fc.constantFrom(2, 24, null)),
  weighted(2, 'close', city),
  weighted(10, 'reopen', city),
  weighted(2, 'cancelWorkshop', city),
  weighted(8, 'rescheduleIn', city, fc.constantFrom(2 * day, 3 * hour, 2 * day, 2 * day, 0), mostlyTrue),
  weighted(6, 'changeVenue', city, venue, mostlyTrue),
  weighted(3, 'unpublish', city),
  weighted(15, 'promote', waitlistedPerson, mostlyTrue),
  weighted(9, 'acceptOfferFor', offeredPerson),
  weighted(9, 'merge', personRef, personRef),
  weighted(4, 'markNotDuplicates', name),
  weighted(9, 'edit', personRef, fc.record({ name, person }, { requiredKeys: [] })),
  weighted(12, 'addManually', person, city),
  weighted(3, 'addManually', person, city, fc.constantFrom('k1', 'k2', 'by hand')),
  weighted(6, 'cancelInBulk', people),
  weighted(8, 'moveInBulk', people, city),
  weighted(9, 'sendBroadcast', message, audience, status),
  weighted(4, 'copyCampaign', fc.integer({ min: 1, max: 3 })),
  weighted(15, 'correctEmail', personRef, person),
  weighted(9, 'erase', personRef, cancelledBy),
  weighted(30, 'wait', fc.constantFrom(9, 1, hour, 3 * hour)),
  weighted(2, 'waitUntil', fc.constantFrom<ScheduledEvent>('opensAt', 'closesAt', 'startsAt', 'endsAt'), city),
]
const step: fc.Arbitrary<Step> = fc.oneof(...weightedActions)

/** Every kind of action. */
export const actions: ReadonlySet<Action> = new Set(weightedActions.map(({ action }) => action))

const repetitions = (most: number) => fc.integer({ min: 1, max: most })

/** Sequences that random steps would hardly ever produce. */
const sequences: Record<string, fc.Arbitrary<Step[]>> = {
  signUpsAtOnce: fc
    .tuple(fc.shuffledSubarray(['anna', 'bob', 'carol', 'dave', 'erin', 'fay'], { minLength: 3 }), city)
    .map(([everyone, where]) => [['signUpBatch', everyone.map((one): SignUpSpec => [one, where])]]),
  repeatedSignUpAndCancel: fc
    .tuple(person, city, repetitions(6))
    .map(([personRef, where, n]) => repeatSteps(n, ['signUp', personRef, where], ['cancel', personRef, 'attendee'])),
  mailFlooding: fc
    .tuple(person, city, fc.constantFrom(2, 9, 11), fc.constantFrom(0, 21 * hour))
    .map(([personRef, where, n, pause]) => [
      ...repeatSteps(n, ['signUp', personRef, where], ['wait', 10]),
      ['wait', pause],
      ['cancel', personRef, 'attendee'],
      ['signUp', personRef, where],
    ]),
  repeatedCorrections: fc
    .tuple(personRef, repetitions(3))
    .map(([one, n]) => [
      ['correctEmail', one, 'gus'],
      ...repeatSteps(n, ['correctEmail', 'gus', 'hal'], ['correctEmail', 'hal', 'gus']),
    ]),
  cancellingWhileClosed: fc.tuple(personRef, personRef, city).map(([one, other, where]) => [
    ['close', where],
    ['cancel', one, 'attendee'],
    ['correctEmail', other, 'hal'],
    ['cancel', other, 'organiser'],
    ['reopen', where],
  ]),
  acceptingExpiredOffer: fc
    .tuple(offeredPerson, city)
    .map(([one, where]) => [['waitUntil', 'deadline', where], ['acceptOffer', one], ['expireOffers']]),
  offersCappedByEarlierStart: fc.tuple(offeredPerson, city).map(([one, where]) => [
    ['rescheduleIn', where, hour],
    ['waitUntil', 'deadline', where],
    ['acceptOffer', one],
  ]),
  manualPromotion: fc.tuple(waitlistedPerson, mostlyTrue, personRef, city).map(([one, add, other, where]) => [
    ['promote', one, add],
    ['cancel', other, 'organiser'],
    ['addManually', 'gus', where],
    ['promote', 'gus', true],
    ['move', 'gus', 'nanjing'],
    ['promote', 'gus', add],
  ]),
  mergingDuplicates: fc.tuple(person, city, name).map(([personRef, where, as]) => [
    ['addManually', personRef, where],
    ['edit', personRef, { name: as }],
    ['addManually', 'gus', where],
    ['edit', 'gus', { name: as }],
    ['merge', 'gus', personRef],
    ['merge', personRef, 'gus'],
  ]),
  bulkMoves: fc.tuple(cancelledBy, weightedChoice({ nanjing: 3, shanghai: 1 })).map(([by, where]) => [
    ['addManually', 'gus', 'shanghai'],
    ['addManually', 'hal', 'nanjing'],
    ['moveInBulk', ['gus', 'hal'], where],
    ['cancel', 'hal', by],
    ['moveInBulk', ['gus', 'confirmed in shanghai', 'waitlisted in nanjing'], 'shanghai'],
  ]),
  acceptingOfferForPerson: weightedChoice<'shanghai' | 'nanjing'>({ shanghai: 2, nanjing: 1 }).map((where) => [
    ['setOfferHours', where, 24],
    ['addManually', 'gus', where],
    ['addManually', 'hal', where],
    ['cancel', `confirmed in ${where}`, 'organiser'],
    ['acceptOfferFor', `offered in ${where}`],
  ]),
  markingNotDuplicates: fc.tuple(person, city, name).map(([personRef, where, as]) => [
    ['addManually', 'gus', where],
    ['edit', 'gus', { name: as }],
    ['edit', personRef, { name: as }],
    ['markNotDuplicates', as],
    ['addManually', 'hal', where],
    ['edit', 'hal', { name: as }],
    ['edit', 'gus', { name: 'zoe' }],
  ]),
  broadcastBeforeMove: fc.tuple(message, audience, personRef, city).map(([what, to, one, where]) => [
    ['sendBroadcast', what, to],
    ['edit', one, { person: 'hal' }],
    ['move', 'hal', where],
    ['sendBroadcast', what, to],
  ]),
  unpublishingEmptyWorkshop: fc.tuple(city, people, person).map(([where, everyone, one]) => [
    ['cancelInBulk', everyone],
    ['unpublish', where],
    ['signUp', one, where],
    ['move', one, where],
    ['reopen', where],
  ]),
  cancellingBeforePostponement: fc.tuple(personRef, personRef, city).map(([one, other, where]) => [
    ['rescheduleIn', where, 0],
    ['cancel', one, 'organiser'],
    ['erase', other, 'organiser'],
    ['rescheduleIn', where, 2 * day],
  ]),
}

/** A script of up to 60 steps. */
export const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 60, arbitrary: step.map((one) => [one]) },
      { weight: 5, arbitrary: sequences.signUpsAtOnce as fc.Arbitrary<Step[]> },
      ...Object.values(sequences).map((arbitrary) => ({ weight: 1, arbitrary })),
    ),
    { maxLength: 60, size: 'max' },
  )
  .map((parts) => parts.flat().slice(0, 60))

function repeatSteps(repetitions: number, ...steps: Step[]): Step[] {
  return Array<Step[]>(repetitions).fill(steps).flat()
}

type Arbitraries<Values extends unknown[]> = {
  [N in keyof Values]: fc.Arbitrary<Exclude<Values[N], undefined> | Values[N]>
}

function weighted<V extends Action>(
  weight: number,
  action: V,
  ...args: Arbitraries<Parameters<Scenario[V]>>
): { weight: number; action: V; arbitrary: fc.Arbitrary<Step> } {
  const argumentTuples = fc.tuple(...(args as unknown as fc.Arbitrary<unknown>[]))
  return { weight, action, arbitrary: argumentTuples.map((values) => [action, ...values] as unknown as Step) }
}

/** Picks one of the words, weighted; scripts shrink to the first. */
function weightedChoice<Word extends string>(weights: Record<Word, number>): fc.Arbitrary<Word> {
  const pool = Object.entries<number>(weights).flatMap(([word, repetitions]) => Array<string>(repetitions).fill(word))
  return fc.constantFrom(...(pool as Word[]))
}

/** Formats a value as a TypeScript literal. */
function formatLiteral(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (Array.isArray(value)) return `[${value.map(formatLiteral).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const definedFields = Object.entries(value).filter(([, field]) => field !== undefined)
  const fields = definedFields.map(([name, field]) => `${name}: ${formatLiteral(field)}`)
  return `{ ${fields.join(', ')} }`
}
