// Shows the messages that are on their way, until the service has them.

import { $, pause } from './page.js'
import * as composer from './composer.js'
import * as list from './list.js'
import * as outbox from './outbox.js'
import * as thread from './thread.js'

const entries = new Map()

export function start() {
  outbox.watch(async (what, entry, answer) => {
    if (what === 'arrived') await arrived(entry, answer)
    else if (what === 'refused') refused(entry, answer)
    else {
      entries.set(entry.key, { entry, what })
      draw()
    }
  })
  thread.onOpen(draw)
  outbox.resume()
}

async function arrived(entry, answer) {
  if (answer.conversation === thread.current()) await shown(answer.message)
  entries.delete(entry.key)
  draw()
  list.refresh([answer.conversation])
}

// Until the message itself is there, its stand-in stays.
async function shown(message) {
  if ($('#newer')) return thread.toEnd()
  thread.refresh([message])
  for (let n = 0; n < 100 && !document.getElementById(`m-${message}`); n += 1) await pause(20)
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
  const mine = [...entries.values()].filter(({ entry }) => entry.conversation === thread.current())
  place.replaceChildren(...mine.map(bubble))
  if (mine.length) $('#scroller').scrollTop = 0
}

const WORDS = { going: 'Sending', waiting: 'No answer yet, trying again', stale: 'Not sent yet' }

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
