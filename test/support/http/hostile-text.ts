/** Repeated units of texts that were slow to parse, or may be, by description. */
export const hostileFragments = {
  'combining marks': '\u0301\u0323',
  'half-width sound marks': '\uff9e\u0301',
  spaces: ' ',
  'spaces and letters': '  x',
  'hyphens and digits': '-1',
  'digits and Chinese conjunctions': '1及',
  'at signs': 'a@',
  'at signs alone': '@',
  dots: '.',
  'words and dots': 'a.',
  'words with dots between': 'a.a',
  'Chinese and dots': '中.',
  titles: 'prof.',
  'web addresses': 'www.',
  'web addresses with dots': 'https://a.b/....',
  digits: '1',
  'digits and dots': '1.',
  hyphens: '-',
  'emoji with joiners': '👩🏽\u200d💻',
  'right-to-left marks': '\u202e\u200f',
  'invisible joiners': '\u200d',
  'zero-width spaces': '\u200b',
  newlines: '\n',
  'lines of a letter': 'a\r\n',
  'quotes and tags': '"<',
  'halves of surrogate pairs': '\ud83d',
  ligatures: 'ﷺ',
  'ligatures and dots': 'ﷺ.',
  'Chinese names': '单于',
  braces: '{{',
  'placeholders that are none': '{{a}}',
  'serial numbers': 'a,',
  'ranges of serial numbers': 'A1..A500,',
  'ranges of none': 'a~b;',
  commas: ',',
  slashes: '/',
  percents: '%25',
  backslashes: '\\',
} as const

/** Units for the announcement parser: bullets, dates, places and lists in large numbers. */
export const hostileAnnouncements = {
  'one letter': 'a',
  'full stops and spaces': '.  ',
  'brackets that open': '（',
  'brackets that pair': '("',
  dates: '7月15日',
  'dates with times': '7月15日9:30-17:00、',
  'ever other dates': '2023年7月15日-16日上海',
  'dates and cities': '7月15日上海，7月22日南京，',
  'days of a month': '1-',
  'numbers and months': '月二十',
  cities: '上海南京',
  'cities in short': '北上广',
  labels: '时间：',
  'labels of places': '地点：上海、城市：甲乙、丙丁',
  'labels and spaces': '时间  ',
  cues: '请自行携带',
  'words that may begin a cue': '请需要提前自行',
  conjunctions: '用于和及与',
  'English conjunctions': 'for and ',
  addresses: 'https://a.b/ ',
  'software with addresses': '请安装A https://a.b/\n',
  'things to bring': '自行携带a、',
  'mail addresses that never end': 'a.',
  'hash signs': '#',
  points: '1.a\n',
  bullets: '•',
  'bullets on lines': '•\n',
  'circled numbers': '①',
  semicolons: '；',
  'calls to register': '扫码报名',
  emoji: '👨‍👩‍👧',
  'line breaks': '\n',
  'lines of a letter': '\na',
  'English words': 'Please bring a laptop, we will provide boards. ',
  months: 'July ',
  'days and months': '1st and 2nd ',
  'halves of surrogate pairs': '\ud83d',
} as const

/** Repeats a unit up to a length in UTF-16 code units. */
export function repeatToLength(unit: string, length: number): string {
  return unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
}

/** Repeats a unit up to a length in UTF-8 bytes, after the prefix `first`. */
export function repeatToBytes(unit: string, bytes: number, prefix = ''): string {
  const count = Math.floor((bytes - Buffer.byteLength(prefix)) / Buffer.byteLength(unit))
  return prefix + unit.repeat(Math.max(0, count))
}
