// The operations page: its figures follow the feed, its sliders move the simulators.

import { $, gathering, part, say } from './page.js'
import { follow } from './live.js'

const OFTEN = 1000
const COUNTED = 2500
const SELDOM = 15000

let last = 0
let timer = 0
let again = 0

// At most once in a while, however much happens, and once more when all of it will have been counted; and now
// and then when nothing happens, since ages go on.
function soon() {
  clearTimeout(timer)
  clearTimeout(again)
  timer = setTimeout(() => refresh([1]), Math.max(0, last + OFTEN - Date.now()))
  again = setTimeout(() => refresh([1]), COUNTED)
}

const refresh = gathering(async () => {
  last = Date.now()
  if (document.hidden) return
  const fresh = await part('/operations/figures')
  const place = $('#figures')
  if (place.contains(document.activeElement) && document.activeElement.matches('button')) return
  place.replaceChildren(fresh)
})

follow(document.body.dataset.position, soon, (well) => {
  $('#live-mark').classList.toggle('off', !well)
  $('#live-mark span').textContent = well ? 'Live' : 'Interrupted'
}, soon)
setInterval(soon, SELDOM)

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('.letters form')
  if (!form) return
  event.preventDefault()
  $('button', form).disabled = true
  const address = new URL(form.action).pathname.replace('/m/', '/api/messages/')
  const answer = await fetch(address, { method: 'POST' }).catch(() => null)
  say(answer?.ok ? 'It is tried again' : ((await answer?.json())?.message ?? 'The service did not answer'))
  document.activeElement.blur()
  soon()
})

const faults = $('#faults')
if (faults) {
  $('button', faults).hidden = true
  faults.addEventListener('input', (event) => {
    event.target.nextElementSibling.value = `${event.target.value} %`
  })
  faults.addEventListener('change', async () => {
    const wanted = Object.fromEntries([...new FormData(faults)].map(([name, value]) => [name, Number(value)]))
    const answer = await fetch('/api/provider/mock/config', {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(wanted),
    })
    $('.wrong-text', faults).textContent = answer.ok ? '' : (await answer.json()).message
  })
}
