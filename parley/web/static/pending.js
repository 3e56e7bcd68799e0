// Shows the messages that are on their way, until the service has them.

import { $ } from './page.js'
import * as composer from './composer.js'
import * as list from './list.js'
import * as outbox from './outbox.js'
import * as thread from './thread.js'

const PATIENCE = 5000

const entries = new Map()

export function start() {
  outbox.watch((what, entry, answer) => {
    if (what === 'refused') return refused(entry, answer)
    entries.set(entry.key, { entry, what, message: answer?.message })
    draw()
    if (what === 'arrived') arrived(entry, answer)
  })
  thread.onOpen(draw)
  thread.onMerge(draw)
  outbox.resume()
}

// A stand-in stays until the message itself is there.
function arrived(entry, answer) {
  list.refresh([answer.conversation])
  if (answer.conversation !== thread.current()) return entries.delete(entry.key)
  if ($('#newer')) thread.toEnd()
  else thread.refresh([answer.message])
  setTimeout(() => entries.delete(entry.key) && draw(), PATIENCE)
}

// What the service will not take goes back into the box, with its reason.
function refused(entry, answer) {
  entries.delete(entry.key)
  draw()
  const form = $('#composer')
  if (entry.conversation !== thread.current() || !form) return
  const { body, subject, attachments, type } = entry.order
  if (!$('#box', form).value) composer.fill(form, { body, subject, attachments, channel: type })
  composer.show(form, answer.why)
}

function draw() {
  const place = $('#pending')
  if (!place) return
  for (const { entry, message } of entries.values()) if (document.getElementById(`m-${message}`)) entries.delete(entry.key)
  const mine = [...entries.values()].filter(({ entry }) => entry.conversation === thread.current())
  const grows = mine.length > place.children.length
  place.replaceChildren(...mine.map(bubble))
  if (grows) $('#scroller').scrollTop = 0
}

const WORDS = { going: 'Sending', arrived: 'Sending', waiting: 'No answer yet, trying again', stale: 'Not sent yet' }

function bubble({ entry, what }) {
  const row = $('#pending-message').content.firstElementChild.cloneNode(true)
  const { body, attachments } = entry.order
  $('.bubble', row).textContent = body || attachments.join('\n')
  $('.status', row).textContent = WORDS[what]
  for (const button of row.querySelectorAll('button')) button.hidden = what !== 'stale'
  $('[data-act=send]', row).addEventListener('click', () => outbox.start(entry))
  $('[data-act=discard]', row).addEventListener('click', () => {
    outbox.discard(entry)
    entries.delete(entry.key)
    draw()
  })
  return row
}
