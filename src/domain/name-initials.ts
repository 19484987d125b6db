import { pinyin } from 'pinyin-pro'

/**
 * How a name is typed by those who do not switch to Chinese: its words or syllables, the same as one word, and their
 * initials. 王小明 is `wang xiao ming / wangxiaoming / wxm`, Ann Lee is `ann lee / annlee / al`. In the order of bytes
 * these stand as in a Chinese register, syllable by syllable. Surnames are read as surnames: 单 is shan, 曾 is zeng.
 */
export function nameInitialsOf(name: string): string {
  const read = pinyin(name.normalize('NFKC'), {
    toneType: 'none',
    type: 'array',
    surname: 'head',
    nonZh: 'consecutive',
    v: true,
  })
  const words = read.flatMap((part) => plainLetters(part).match(/[\p{L}\p{N}]+/gu) ?? [])
  return [words.join(' '), words.join(''), words.map((word) => [...word][0]).join('')].join(' / ')
}

/** What was typed, as it would stand within such initials, or undefined if that is no Latin letter. */
export function typedInitials(typed: string): string | undefined {
  const letters = plainLetters(typed.normalize('NFKC')).replace(/[^\p{L}\p{N}]/gu, '')
  return /[a-z]/.test(letters) && !/\p{Script=Han}/u.test(letters) ? letters : undefined
}

/** In lower case and without accents: Zoë is zoe. */
function plainLetters(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
