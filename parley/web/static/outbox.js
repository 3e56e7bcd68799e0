// Messages on their way: each has a key of its own and is kept until an answer is certain, so that a lost answer,
// a double click or a reload never sends it twice.

import { pause, store } from './page.js'

const SLOWEST = 30000
const STALE = 15 * 60 * 1000

let queue = Promise.resolve()
const watchers = []

// Have something done when a message is put on its way, has arrived or was refused.
export function watch(act) {
  watchers.push(act)
}

// Resolves when no message waits for its first answer.
let open = 0
let quiet = []
export function settled() {
  return open ? new Promise((resolve) => quiet.push(resolve)) : Promise.resolve()
}

// Put a message on its way; it goes after those that were put there before.
export function send(order, conversation) {
  const entry = { key: crypto.randomUUID?.() ?? randomKey(), order, conversation, at: Date.now() }
  store.set(`outbox:${entry.key}`, entry)
  return start(entry)
}

// Take up what an earlier page left on its way; what lay long is only sent when somebody still wants it.
export function resume() {
  const left = store.names('outbox:').map((name) => store.get(name)).filter(Boolean)
  for (const entry of left.sort((a, b) => a.at - b.at)) {
    if (Date.now() - entry.at < STALE) start(entry)
    else tell('stale', entry)
  }
}

export function start(entry) {
  tell('going', entry)
  queue = queue.then(() => post(entry))
  return queue
}

export function discard(entry) {
  store.set(`outbox:${entry.key}`, null)
}

async function post(entry) {
  for (let wait = 1000; ; wait = Math.min(wait * 2, SLOWEST)) {
    const answer = await attempt(entry)
    if (answer) {
      discard(entry)
      tell(answer.ok ? 'arrived' : 'refused', entry, answer)
      return answer
    }
    tell('waiting', entry)
    await pause(wait)
  }
}

// One request; nothing comes back unless the answer is certain.
async function attempt(entry) {
  open += 1
  try {
    const answer = await fetch('/api/messages/send', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': entry.key },
      body: JSON.stringify(entry.order),
      keepalive: entry.order.body.length < 16000,
    })
    const body = await answer.json()
    if (answer.ok) return { ok: true, message: body.message_id, conversation: body.conversation_id }
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429) return null
    return { ok: false, why: body.message ?? `The service answered ${answer.status}` }
  } catch {
    return null
  } finally {
    open -= 1
    if (!open) for (const resolve of quiet.splice(0)) resolve()
  }
}

function tell(what, entry, answer) {
  for (const act of watchers) act(what, entry, answer)
}

// Without https a browser has no randomUUID, but it has dice.
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
