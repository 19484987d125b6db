import type { Text } from '../../../db/schema.ts'
import { findMatches } from './scanner.ts'

/** A city named in a text. `end` includes a suffix that belongs to the name (上海市, 南京站), `nameEnd` does not. */
export type CityMatch = { start: number; end: number; nameEnd: number; key: string; city: Text; inInstitution: boolean }

/**
 * Finds the cities named in a range of a text, in order. Streets named after a city (南京东路) do not count. `inInstitution`
 * marks a city that is part of the name of an institution (上海交通大学, Shanghai Tower).
 * @param normalized the text in half-width characters, of the same length
 * @param budget the number of names that may still be found; reduced by those that are
 */
export function findCities(
  text: string,
  normalized: string,
  start: number,
  end: number,
  budget: { tokens: number },
): CityMatch[] {
  const cities: CityMatch[] = []
  const range = normalized.slice(start, end)
  const matches = findMatches(cityPattern, range, budget.tokens)
  budget.tokens -= matches.length
  for (const match of matches) {
    const { abbreviated, zh, suffix = '', en } = match.groups as { [name: string]: string | undefined }
    const from = start + match.index
    if (abbreviated) {
      for (const [offset, letter] of [...abbreviated].entries()) {
        const key = abbreviations[letter] as string
        cities.push({
          start: from + offset,
          end: from + offset + 1,
          nameEnd: from + offset + 1,
          key,
          city: { zh: key },
          inInstitution: false,
        })
      }
      continue
    }
    const name = zh ?? (en as string)
    const after = range.slice(match.index + match[0].length, match.index + match[0].length + 24)
    if (zh ? streetSuffix.test(after) : latinStreetSuffix.test(after)) continue
    const key = zh ?? (chineseNames.get(name.toLowerCase().replace(/\W/g, '')) as string)
    cities.push({
      start: from,
      end: from + name.length + suffix.length,
      nameEnd: from + name.length,
      key,
      city: { [zh ? 'zh' : 'en']: text.slice(from, from + name.length) },
      inInstitution: zh ? !suffix && institutionSuffix.test(after) : latinInstitutionSuffix.test(after),
    })
  }
  return cities
}

const cityList =
  '北京 Beijing,上海 Shanghai,广州 Guangzhou,深圳 Shenzhen,杭州 Hangzhou,南京 Nanjing,苏州 Suzhou,无锡 Wuxi,常州 Changzhou,' +
  '南通 Nantong,扬州 Yangzhou,镇江 Zhenjiang,徐州 Xuzhou,宁波 Ningbo,温州 Wenzhou,嘉兴 Jiaxing,绍兴 Shaoxing,金华 Jinhua,' +
  '合肥 Hefei,芜湖 Wuhu,福州 Fuzhou,厦门 Xiamen,泉州 Quanzhou,南昌 Nanchang,济南 Jinan,青岛 Qingdao,烟台 Yantai,潍坊 Weifang,' +
  '郑州 Zhengzhou,洛阳 Luoyang,武汉 Wuhan,宜昌 Yichang,长沙 Changsha,株洲 Zhuzhou,东莞 Dongguan,佛山 Foshan,珠海 Zhuhai,' +
  '惠州 Huizhou,中山 Zhongshan,汕头 Shantou,南宁 Nanning,桂林 Guilin,柳州 Liuzhou,海口 Haikou,三亚 Sanya,重庆 Chongqing,' +
  "成都 Chengdu,绵阳 Mianyang,贵阳 Guiyang,昆明 Kunming,西安 Xi'an,咸阳 Xianyang,兰州 Lanzhou,西宁 Xining,银川 Yinchuan," +
  '乌鲁木齐 Urumqi,呼和浩特 Hohhot,包头 Baotou,太原 Taiyuan,石家庄 Shijiazhuang,保定 Baoding,唐山 Tangshan,天津 Tianjin,' +
  '沈阳 Shenyang,大连 Dalian,长春 Changchun,哈尔滨 Harbin,拉萨 Lhasa,香港 Hong Kong,澳门 Macau,台北 Taipei,新竹 Hsinchu'

const cityPairs = cityList
  .split(',')
  .map((pair) => [pair.slice(0, pair.indexOf(' ')), pair.slice(pair.indexOf(' ') + 1)] as const)
const chineseNames = new Map(cityPairs.map(([zh, en]) => [en.toLowerCase().replace(/\W/g, ''), zh]))
/** For 北上广深. */
const abbreviations: Record<string, string> = { 北: '北京', 上: '上海', 广: '广州', 深: '深圳', 杭: '杭州' }

const cityPattern = new RegExp(
  `(?<abbreviated>北上广深杭?|北上深|北上广(?!西|东|州))|(?<zh>${cityPairs.map(([zh]) => zh).join('|')})(?!时间|(?<=中山)(?:大学|公园|医院))` +
    `(?<suffix>市(?![区中场民内])|站(?![点台内]))?|(?<![A-Za-z])(?<en>${cityPairs.map(([, en]) => en.replace("'", "['’]?")).join('|')})(?![A-Za-z])`,
  'gi',
)
const streetSuffix = /^[东西南北中一二三四]{0,2}(?:路|街|大道|大街)/
const institutionSuffix =
  /^[\u4e00-\u9fff]{0,6}?(?:大学(?!生)|学院|交大|研究院|研究所|公司|大厦|中心|图书馆|科技馆|软件园|科技园|产业园)/
const latinStreetSuffix = /^ (?:(?:East|West|North|South|Middle) )?(?:Road|Rd|Street|St|Avenue|Ave)\b/
const latinInstitutionSuffix =
  /^ (?:[A-Z][a-z]+ ){0,3}(?:University|Tower|Institute|College|Center|Centre|Hotel|Library|Museum|Park|Lab|School|Academy)\b/
