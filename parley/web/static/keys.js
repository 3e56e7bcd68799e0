// The keyboard: one letter each, and never while somebody writes.

import { $ } from './page.js'
import * as compose from './compose.js'
import * as list from './list.js'
import * as state from './state.js'

const ACTS = {
  j: () => list.move(1),
  k: () => list.move(-1),
  r: () => $('#box')?.focus(),
  n: () => compose.open(),
  '/': () => {
    $('#q').focus()
    $('#q').select()
  },
  e: () => state.toggle(),
  u: () => state.unread(),
  '?': () => $('#help').showModal(),
}

export function start() {
  for (const button of document.querySelectorAll('[data-open]')) {
    button.hidden = false
    button.addEventListener('click', () => $(`#${button.dataset.open}`).showModal())
  }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    if (event.key === 'Escape') return leave(event)
    if (event.target.closest('input:not([type=radio]), textarea, select, dialog[open]')) return
    const act = ACTS[event.key]
    if (!act) return
    event.preventDefault()
    act()
  })
}

// Out of a field, then out of a search.
function leave(event) {
  const field = event.target.closest('input, textarea')
  if (!field || event.target.closest('dialog[open]')) return
  // Left first: a list that comes while the box is in use keeps what stands there.
  field.blur()
  if (field.id === 'q' && field.value) list.show('')
}
