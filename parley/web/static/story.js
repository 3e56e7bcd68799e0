// What became of a message: its attempts on a click, trying again, taking it back.

import { $, part, say } from './page.js'
import * as thread from './thread.js'

export function start() {
  // `toggle` does not bubble, but it can be caught on its way down.
  document.addEventListener('toggle', (event) => {
    if (event.target.matches?.('.story') && event.target.open) tell(event.target)
  }, true)
  document.addEventListener('submit', (event) => {
    const form = event.target.closest('.message form')
    if (!form) return
    event.preventDefault()
    act(form)
  })
}

async function tell(story) {
  const told = await part(story.dataset.src).catch(() => null)
  if (told) $('.story-body', story).replaceChildren(told)
}

// The same addresses exist for programs, and these answer in a sentence when they will not.
async function act(form) {
  const message = form.closest('.message')
  const button = $('button', form)
  button.disabled = true
  try {
    const answer = await fetch(new URL(form.action).pathname.replace('/m/', '/api/messages/'), { method: 'POST' })
    if (!answer.ok) say((await answer.json()).message)
  } catch {
    say('The service did not answer')
  }
  button.disabled = false
  thread.refresh([message.id.slice(2)])
}
