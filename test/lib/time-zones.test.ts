import { expect, test } from 'vitest'
import { formatIso, localDateTime, parseDateTime } from '../../src/lib/time-zones.ts'

test.each([
  ['2026-12-19T01:30:00Z', 'Asia/Shanghai', '2026-12-19T09:30:00+08:00', '2026-12-19 09:30:00'],
  ['2026-12-18T17:00:00Z', 'Asia/Shanghai', '2026-12-19T01:00:00+08:00', '2026-12-19 01:00:00'],
  ['2026-12-18T16:00:00Z', 'Asia/Shanghai', '2026-12-19T00:00:00+08:00', '2026-12-19 00:00:00'],
  ['2026-01-15T08:00:00Z', 'Europe/Berlin', '2026-01-15T09:00:00+01:00', '2026-01-15 09:00:00'],
  ['2026-07-15T08:00:00Z', 'Europe/Berlin', '2026-07-15T10:00:00+02:00', '2026-07-15 10:00:00'],
  ['2026-07-15T08:00:00.999Z', 'America/St_Johns', '2026-07-15T05:30:00-02:30', '2026-07-15 05:30:00'],
  ['2026-07-15T08:00:00Z', 'UTC', '2026-07-15T08:00:00+00:00', '2026-07-15 08:00:00'],
])('formatIso and localDateTime format %s in %s as %s', (moment, timeZone, iso, clock) => {
  expect(formatIso(new Date(moment), timeZone)).toBe(iso)
  expect(localDateTime(new Date(moment), timeZone)).toBe(clock)
})

test.each([
  ['2026-12-19T09:30', '2026-12-19T01:30:00.000Z'],
  ['2026-12-19 09:30', '2026-12-19T01:30:00.000Z'],
  ['2026-12-19T09:30:15', '2026-12-19T01:30:15.000Z'],
  ['2026-12-19T09:30Z', '2026-12-19T09:30:00.000Z'],
  ['2026-12-19T09:30:00.000Z', '2026-12-19T09:30:00.000Z'],
  ['2026-12-19T09:30+02:00', '2026-12-19T07:30:00.000Z'],
  ['2026-12-19T09:30+0530', '2026-12-19T04:00:00.000Z'],
  ['2026-12-19T09:30-03', '2026-12-19T12:30:00.000Z'],
  ['2028-02-29T09:30', '2028-02-29T01:30:00.000Z'],
])('parseDateTime reads %s in Shanghai as %s', (text, moment) => {
  expect(parseDateTime(text, 'Asia/Shanghai')?.toISOString()).toBe(moment)
})

test.each([
  '',
  'tomorrow',
  '2026-12-19',
  '09:30',
  '19.12.2026 09:30',
  '2026-02-30T09:30',
  '2026-13-01T09:30',
  '2026-12-19T24:00',
  '2026-12-19T09:60',
  '2026-12-19T09:30+25:00',
  '0000-12-19T09:30',
  ' 2026-12-19T09:30',
  '2026-12-19T09:30:00.1234567890',
])('parseDateTime rejects %j', (text) => {
  expect(parseDateTime(text, 'Asia/Shanghai')).toBeUndefined()
})

test('parseDateTime reads a local time with the offset of its day', () => {
  expect(parseDateTime('2026-03-28T10:00', 'Europe/Berlin')?.toISOString()).toBe('2026-03-28T09:00:00.000Z')
  expect(parseDateTime('2026-03-29T10:00', 'Europe/Berlin')?.toISOString()).toBe('2026-03-29T08:00:00.000Z')
})

test('parseDateTime reads an ambiguous local time as its first occurrence', () => {
  expect(parseDateTime('2026-10-25T02:30', 'Europe/Berlin')?.toISOString()).toBe('2026-10-25T00:30:00.000Z')
  expect(parseDateTime('2026-11-01T01:30', 'America/New_York')?.toISOString()).toBe('2026-11-01T05:30:00.000Z')
})

test('parseDateTime reads a skipped local time with the offset before the change', () => {
  expect(parseDateTime('2026-03-29T02:30', 'Europe/Berlin')?.toISOString()).toBe('2026-03-29T01:30:00.000Z')
  expect(parseDateTime('2026-03-08T02:30', 'America/New_York')?.toISOString()).toBe('2026-03-08T07:30:00.000Z')
})

test('parseDateTime reads what formatIso writes, every half hour around a daylight saving change', () => {
  for (const timeZone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Shanghai']) {
    for (let n = 0; n < 400; n++) {
      const moment = new Date(Date.UTC(2026, 2, 27) + n * 1_800_000)
      expect(parseDateTime(formatIso(moment, timeZone), 'UTC')).toEqual(moment)
    }
  }
})
