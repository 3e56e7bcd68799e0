// The reader's time zone for the next page, and ages that go on.

import { $$ } from './page.js'
import { refresh } from './list.js'

const TICK = 20000

export function start() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`
  setInterval(tick, TICK)
  document.addEventListener('visibilitychange', tick)
  return zone
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
  if (old.length) refresh(old)
}
