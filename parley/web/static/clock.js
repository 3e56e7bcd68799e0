// The reader's time zone for the next page, and ages that go on.

import { $$ } from './page.js'
import * as list from './list.js'
import * as thread from './thread.js'

const TICK = 20000

export function start() {
  setInterval(tick, TICK)
  document.addEventListener('visibilitychange', tick)
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const known = document.cookie.includes(`zone=${zone}`)
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`
  // The first page of all was made for Greenwich, before anybody knew where it would be read.
  if (known || document.body.dataset.zone !== 'UTC' || !new Date().getTimezoneOffset()) return
  list.show(location.search)
  thread.again()
}

function tick() {
  if (document.hidden) return
  const old = []
  for (const time of $$('time[data-brief]')) {
    const minutes = Math.floor((Date.now() - new Date(time.dateTime)) / 60000)
    if (!/now|min/.test(time.textContent)) continue
    if (minutes < 60) time.textContent = minutes < 1 ? 'now' : `${minutes} min`
    else old.push(time.closest('[data-id]').dataset.id)
  }
  if (old.length) list.refresh(old)
}
