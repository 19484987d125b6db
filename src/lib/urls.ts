import { normalizeUnicode } from './text.ts'

/**
 * True if a text contains something that mail programs turn into a link: our mails must not carry links that visitors
 * entered. The text is normalized as browsers do: half-width, Chinese full stops as dots (UTS 46, 2.3), without invisible
 * characters. Names such as Node.js, titles such as Dr.Wang and abbreviations such as Co.Ltd are not addresses.
 */
export function containsUrl(text: string): boolean {
  const plain = normalizeUnicode(text, 'NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/[。｡．]/g, '.')
  // A fast check first: every address has one of these characters, and most texts have none.
  return /[.:@]/.test(plain) && urlPatterns.some((pattern) => pattern.test(plain))
}

/*
 * The top-level domains most common in spam, with those of the largest registries. Surnames and given names that are
 * domains too (.li, .ma, .wang) follow a dot in names, and .ltd and .inc in companies: see `ambiguousTlds`.
 */
const genericTlds =
  'com|net|org|info|biz|name|mobi|asia|app|dev|page|site|website|online|store|shop|shopping|club|vip|top|xyz|icu|cyou|sbs|' +
  'cfd|bond|link|live|life|work|works|world|today|space|fun|win|bid|loan|men|date|racing|review|stream|download|trade|party|' +
  'science|cricket|accountant|faith|click|host|hosting|press|tech|technology|cloud|digital|network|systems|solutions|services|' +
  'company|business|agency|group|team|center|zone|city|media|news|blog|wiki|social|chat|email|support|help|art|design|' +
  'studio|photo|photos|pics|video|movie|music|audio|game|games|bet|casino|poker|porn|sex|sexy|adult|xxx|dating|love|money|cash|' +
  'loans|credit|finance|fund|bank|market|markets|exchange|trading|sale|deals|gift|gifts|promo|discount|free|best|cool|rocks|' +
  'ninja|guru|expert|academy|school|training|education|courses|university|edu|gov|int|mil|pro|one|plus|red|blue|pink|black|' +
  'beer|wine|pub|bar|cafe|food|pizza|fit|fitness|yoga|health|care|clinic|dental|doctor|house|homes|land|estate|rent|' +
  'properties|travel|tours|taxi|auto|autos|cars|boats|quest|beauty|hair|skin|makeup|monster|lol|wtf|uno|zip|mov|foo|bio|eco|' +
  'onl|pw|ooo|moe|run|surf|ltda|llc|gmbh|srl|codes|software|computer|tools|domains|arpa|' +
  // Country codes that are used as generic domains.
  'cn|io|co|me|cc|tv|ru|tk|ai|ly|gg|su'

const internationalTlds =
  '中国|中國|公司|网络|网址|网站|商店|商城|商标|在线|中文网|我爱你|集团|企业|手机|移动|游戏|娱乐|餐厅|购物|' +
  '网店|政务|公益|机构|组织机构|香港|台湾|台灣|新加坡|世界|时尚|慈善|信息|佛山|广东|健康|招聘|点看|八卦|嘉里|' +
  'рф|рус|бел|укр|қаз|мон|срб|онлайн|сайт|орг|ком|дети|москва|한국|닷컴|닷넷|삼성|コム|みんな|ストア|クラウド|ファッション|' +
  'भारत|ไทย|คอม|ελ|ευ|ישראל|קום|امارات|السعودية|مصر|ایران|كوم|موقع|شبكة|بازار'

const countryTlds =
  'ac|ad|ae|af|ag|al|am|ao|ar|as|at|au|aw|ax|az|ba|bb|bd|be|bf|bg|bh|bi|bj|bm|bn|bo|br|bs|bt|bw|by|bz|ca|cd|cf|cg|ch|ci|ck|cl|' +
  'cm|cr|cu|cv|cw|cx|cy|cz|de|dj|dk|dm|do|dz|ec|ee|eg|er|es|et|eu|fi|fj|fk|fm|fo|fr|ga|gd|ge|gf|gh|gi|gl|gm|gn|gp|gq|gr|gs|gt|' +
  'gu|gw|gy|hk|hm|hn|hr|ht|hu|id|ie|il|im|in|iq|ir|is|it|je|jm|jo|jp|ke|kg|kh|ki|km|kn|kp|kr|kw|ky|kz|la|lb|lc|li|lk|lr|ls|lt|' +
  'lu|lv|ma|mc|md|mg|mh|mk|ml|mm|mn|mo|mp|mq|mr|ms|mt|mu|mv|mw|mx|my|mz|na|nc|ne|nf|ng|ni|nl|no|np|nr|nu|nz|om|pa|pe|pf|pg|ph|' +
  'pk|pl|pm|pn|pr|ps|pt|py|qa|re|ro|rs|rw|sa|sb|sc|sd|se|sg|sh|si|sk|sl|sm|sn|so|sr|ss|st|sv|sx|sy|sz|tc|td|tf|tg|th|tj|tl|tm|' +
  'tn|to|tr|tt|tw|tz|ua|ug|uk|us|uy|uz|va|vc|ve|vg|vi|vn|vu|wf|ws|ye|yt|za|zm|zw'

/** Domains that also follow a dot in names of people and companies: they count only after three characters or more. */
const ambiguousTlds = `${countryTlds}|wang|ren|kim|ltd|inc`
const dottedAbbreviations = 'prof|miss|mrs|pty|corp'

const wordCharacter = '[\\p{L}\\p{M}\\p{N}_-]'
const latinBoundary = '(?![\\p{Script=Latin}\\p{N}])'

// The patterns begin with the dot, which is found fast, and look back at a few characters, never at the whole word: this
// takes linear time.
const urlPatterns = [
  /:\/\/|www\.|@|\.xn--/i,
  /(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)/,
  /\.(?<=[\p{L}\p{M}\p{N}_-]\.)\p{L}[\p{L}\p{M}\p{N}_-]*(?::\d{1,5})?\//u,
  new RegExp(`\\.(?<=${wordCharacter}\\.)(?:${genericTlds})${latinBoundary}`, 'iu'),
  new RegExp(`\\.(?<=${wordCharacter}\\.)(?:${internationalTlds})(?!${wordCharacter})`, 'iu'),
  new RegExp(
    `\\.(?<=${wordCharacter}{3}\\.)(?<!(?<!${wordCharacter})(?:${dottedAbbreviations})\\.)(?:${ambiguousTlds})${latinBoundary}`,
    'iu',
  ),
]

/**
 * Finds the web addresses in a text, as offsets in UTF-16 units. An address begins with http://, https:// or www. and ends
 * before the first character that an address cannot contain unescaped (RFC 3986: also everything beyond ASCII), before a
 * closing bracket that it did not open, and before punctuation that ends a sentence. Takes linear time.
 */
export function findUrls(text: string): { start: number; end: number }[] {
  return [...text.matchAll(urlPattern)].map((match) => ({
    start: match.index,
    end: match.index + urlLength(match[0], text[match.index - 1]),
  }))
}

const urlPattern = /(?<![a-z])(?:https?:\/\/|www\.)[a-z0-9[][!#-;=?-[\]_a-z~]*/gi

/** @param precedingChar the character before the address: a quote or an underscore there also ends it */
function urlLength(url: string, precedingChar: string | undefined): number {
  let length = 0
  let [round, square] = [0, 0]
  for (const char of url) {
    if (char === '(') round++
    if (char === '[') square++
    if ((char === ')' && --round < 0) || (char === ']' && --square < 0) || (char === "'" && precedingChar === "'"))
      break
    length++
  }
  const trailing = precedingChar === '_' ? `${trailingPunctuation}_` : trailingPunctuation
  while (trailing.includes(url[length - 1] as string)) length--
  return length
}

/** Punctuation that ends a sentence or opens what follows: not part of an address when at its end. */
const trailingPunctuation = ".,;:!?'([*"

/** A text split into plain parts and web addresses. `separate`: in plain text the address is followed by a space. */
export type LinkedText = (string | { url: string; separate?: boolean })[]

/** Splits a text at its addresses with http:// or https://. */
export function linkUrls(text: string): LinkedText {
  const linked: LinkedText = []
  let position = 0
  for (const { start, end } of findUrls(text)) {
    if (!/^http/i.test(text.slice(start, start + 4))) continue
    linked.push(text.slice(position, start), { url: text.slice(start, end) })
    position = end
  }
  linked.push(text.slice(position))
  return linked.filter((part) => part !== '')
}

/**
 * Renders the text without markup. Mail programs have different rules for where an address ends, so a space is added after
 * an address that was inserted for a placeholder.
 */
export function renderPlainText(linked: LinkedText): string {
  return linked
    .map((part, n) => {
      if (typeof part === 'string') return part
      const next = linked[n + 1]
      const isFollowed = next !== undefined && !(typeof next === 'string' && /^\s/.test(next))
      return isFollowed && (part.separate || typeof next === 'object') ? `${part.url} ` : part.url
    })
    .join('')
}
