/** Sizes of the measurements. Counts, unless a name ends with seconds. */
export type Sizes = {
  rounds: number
  signUps: number
  bareSignUps: number
  /** Per number of clients. */
  transactions: number
  workshops: number
  availabilities: number
  pages: number
  storedFew: number
  storedMany: number
  /** Of `storedMany`, in one workshop, which is also exported. */
  inOneWorkshop: number
  rosterPages: number
  promotions: number
  sequentialSignUps: number
  arrivalsSeconds: number
  visitors: number
  visitorSeconds: number
  mails: number
  requestsBeforeMemory: number
}

export const sizes: Record<'full' | 'quick', Sizes> = {
  full: {
    rounds: 3,
    signUps: 12_000,
    bareSignUps: 24_000,
    transactions: 1_500,
    workshops: 200,
    availabilities: 20_000,
    pages: 4_000,
    storedFew: 1_000,
    storedMany: 1_000_000,
    inOneWorkshop: 100_000,
    rosterPages: 100,
    promotions: 40,
    sequentialSignUps: 500,
    arrivalsSeconds: 8,
    visitors: 5_000,
    visitorSeconds: 10,
    mails: 2_000,
    requestsBeforeMemory: 10_000,
  },
  // Checks that everything works; too short for reliable figures.
  quick: {
    rounds: 1,
    signUps: 4_000,
    bareSignUps: 8_000,
    transactions: 500,
    workshops: 20,
    availabilities: 8_000,
    pages: 1_500,
    storedFew: 1_000,
    storedMany: 30_000,
    inOneWorkshop: 10_000,
    rosterPages: 20,
    promotions: 10,
    sequentialSignUps: 100,
    arrivalsSeconds: 2,
    visitors: 500,
    visitorSeconds: 2,
    mails: 300,
    requestsBeforeMemory: 2_000,
  },
}
