// Read and unread, open and closed.

import { $, $$, gathering, part, say } from './page.js'
import * as list from './list.js'
import * as thread from './thread.js'

let keptUnread = ''
let unseen = false

export function start() {
  document.addEventListener('submit', (event) => {
    const form = event.target.closest('.pane-state')
    if (!form) return
    event.preventDefault()
    event.submitter?.value === 'unread' ? unread() : toggle()
  })
  document.addEventListener('visibilitychange', read)
  thread.onOpen(() => {
    keptUnread = ''
    unseen = $('#pane-head').dataset.unread !== '0'
    read()
  })
  thread.onGrow(() => {
    unseen = true
    read()
  })
}

// What is open and visible is read, as far as it has been shown.
export async function read() {
  const id = thread.current()
  if (!id || document.hidden || keptUnread === id || !unseen) return
  unseen = false
  const last = $$('#messages .message').at(-1)
  unseen = !(await change(id, last ? `read?through=${last.id.slice(2)}` : 'read'))
}

export async function unread() {
  const id = thread.current()
  if (!id) return
  keptUnread = id
  await change(id, 'unread')
}

export async function toggle() {
  const id = thread.current()
  if (!id) return
  await change(id, $('#pane-head').dataset.state === 'closed' ? 'reopen' : 'close')
}

async function change(id, what) {
  try {
    const answer = await fetch(`/api/conversations/${id}/${what}`, { method: 'POST' })
    if (!answer.ok) throw new Error(answer.status)
  } catch {
    say('The service did not answer')
    return false
  }
  list.refresh([id])
  renew([id])
  return true
}

// Somebody closed or reopened what is open here.
export const renew = gathering(async () => {
  const id = thread.current()
  if (!id) return
  const fresh = await part(`/c/${id}/head${location.search}`)
  if (id !== thread.current()) return
  const focused = document.activeElement?.dataset.act
  $('#pane-head').replaceWith(fresh)
  if (focused) $(`#pane-head [data-act=${focused}]`)?.focus()
})
