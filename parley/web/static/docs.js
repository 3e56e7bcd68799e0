// The reference: filtering the contents, copying commands, showing where one is.

import { $, $$, say } from './page.js'

const find = $('#find')

find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(/\s+/)
  for (const section of $$('#contents section')) {
    const items = $$('li', section)
    for (const item of items) {
      const text = `${item.textContent} ${$('a', item).title} ${$('.contents-title', section).textContent}`.toLowerCase()
      item.hidden = !words.every((word) => text.includes(word))
    }
    section.hidden = items.length > 0 && items.every((item) => item.hidden)
  }
})

find.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') $('#contents li:not([hidden]) a')?.click()
  if (event.key === 'Escape') find.blur()
})

document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target.closest('input')) return
  event.preventDefault()
  find.focus()
  find.select()
})

for (const place of $$('.copyable')) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'copy'
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    await copy($('code', place))
    button.textContent = 'Copied'
    say('Copied')
    setTimeout(() => (button.textContent = 'Copy'), 1600)
  })
  place.append(button)
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent)
  } catch {
    // Without https there is no clipboard: what is selected can be copied by hand.
    getSelection().selectAllChildren(code)
  }
}

const links = new Map($$('#contents li a').map((link) => [link.hash.slice(1), link]))
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting)) {
    for (const link of links.values()) link.removeAttribute('aria-current')
    const link = links.get(entry.target.id)
    link?.setAttribute('aria-current', 'true')
    link?.scrollIntoView({ block: 'nearest' })
  }
}, { rootMargin: '-8% 0px -80% 0px' })
for (const operation of $$('.operation')) seen.observe(operation)
