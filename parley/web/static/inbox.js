// The inbox page: what belongs together is wired up here.

import { $ } from './page.js'
import * as clock from './clock.js'
import * as compose from './compose.js'
import * as composer from './composer.js'
import * as keys from './keys.js'
import * as list from './list.js'
import * as pending from './pending.js'
import * as state from './state.js'
import * as story from './story.js'
import * as thread from './thread.js'
import * as viewer from './viewer.js'
import { follow } from './live.js'

const PATIENCE = 1200

compose.start()
if ($('#list')) {
  list.start(thread.current())
  thread.start()
  thread.onOpen(composer.attach)
  state.start()
  story.start()
  pending.start()
  viewer.start()
  keys.start()
  clock.start()
  document.addEventListener('click', visit)
  follow(document.body.dataset.position, hear, connected, anew)
}

function hear(events) {
  const here = thread.current()
  const ids = events.filter((event) => event.conversation_id === here && event.message_id).map((event) => event.message_id)
  if (ids.length) thread.refresh(ids)
  if (events.some((event) => event.conversation_id === here && /closed|reopened/.test(event.type))) state.renew([here])
  list.refresh(events.map((event) => event.conversation_id).filter(Boolean))
}

function anew() {
  list.show(location.search)
  thread.again()
}

// A short break is nobody's business.
let interrupted = 0

function connected(well) {
  document.body.dataset.live = well ? 'on' : 'off'
  const place = $('#connection')
  clearTimeout(interrupted)
  if (well) place.hidden = true
  else if (place.hidden) interrupted = setTimeout(() => (place.hidden = false), PATIENCE)
}

// Go to a conversation without leaving the page.
function visit(event) {
  const link = event.target.closest('.row > a, .pane-head .back')
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return
  event.preventDefault()
  thread.open(link.href)
}
