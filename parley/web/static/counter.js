// Says what a text costs as SMS, and which character makes it cost more.

import { measure } from './segments.js'

// Characters that a keyboard or word processor slips in, and what carriers have for them.
const PLAIN = {
  '’': "'", '‘': "'", '‚': ',', '“': '"', '”': '"', '„': '"', '–': '-', '—': '-', '…': '...', '•': '*',
  '\u00a0': ' ', '\u202f': ' ', '\u200b': '', '\t': ' ', '´': "'", '`': "'", '«': '"', '»': '"', '−': '-',
}
const ODD = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'g')

export function count(place, box, channel) {
  place.replaceChildren()
  place.classList.remove('wide')
  if (channel !== 'sms' || !box.value) return
  const cost = measure(box.value)
  const room = cost.count === 1 ? cost.single : cost.count * cost.part
  const parts = cost.count > 1 ? `${cost.count} parts · ` : ''
  place.append(`${parts}${cost.units} / ${room}`)
  if (cost.forcedBy === null) return
  place.classList.add('wide')
  place.prepend(`${name(cost.forcedBy)} needs Unicode · `)
  const plain = box.value.replace(ODD, (one) => PLAIN[one])
  if (measure(plain).forcedBy === null) place.append(' · ', simplify(box, plain))
}

function name(character) {
  if (character === '\t') return 'A tab'
  if (/\s|\p{C}/u.test(character)) return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  return `“${character}”`
}

function simplify(box, plain) {
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Make it plain'
  button.addEventListener('click', () => {
    box.value = plain
    box.dispatchEvent(new Event('input', { bubbles: true }))
    box.focus()
  })
  return button
}
