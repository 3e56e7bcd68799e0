// How many SMS segments a text costs: the same rules as core/segments.py, and a test holds the two together.

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const EXTENSION = new Set('\f^{}\\[~]|€')
const LIMITS = { gsm7: [160, 153], ucs2: [70, 67] }

// What a text costs; `forcedBy` is the first character that GSM-7 lacks.
export function measure(text) {
  const characters = [...text]
  const forcedBy = characters.find((one) => !BASIC.has(one) && !EXTENSION.has(one)) ?? null
  const encoding = forcedBy === null ? 'gsm7' : 'ucs2'
  const widths = characters.map((one) => width(one, encoding))
  const units = widths.reduce((sum, one) => sum + one, 0)
  const [single, part] = LIMITS[encoding]
  return { encoding, units, count: units <= single ? 1 : parts(widths, part), forcedBy, single, part }
}

function width(character, encoding) {
  if (encoding === 'gsm7') return EXTENSION.has(character) ? 2 : 1
  return character.length
}

// Fill parts one after another; a character of two units is never torn apart.
function parts(widths, size) {
  let count = 1
  let used = 0
  for (const one of widths) {
    if (used + one > size) {
      count += 1
      used = 0
    }
    used += one
  }
  return count
}
