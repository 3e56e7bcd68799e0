// What every part of the page needs: finding, fetching parts of the page, and saying things aloud.

export const $ = (selector, root = document) => root.querySelector(selector)
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)]

const SLOWEST = 30000

export const stillness = matchMedia('(prefers-reduced-motion: reduce)')

// Fetch a part of the page, as elements; an answer that is no such part throws.
export async function part(url, options = {}) {
  const answer = await fetch(url, { headers: { Accept: 'text/html' }, ...options })
  if (!answer.ok) throw new Error(`${answer.status} from ${url}`)
  const template = document.createElement('template')
  template.innerHTML = await answer.text()
  return template.content
}

// Tell those who do not see the page what has changed in it.
export function say(text) {
  $('#said').textContent = text
}

// Run a task with what has gathered meanwhile, never two at a time; what fails is tried again, since nobody will
// tell us a second time what has changed.
export function gathering(task) {
  const waiting = new Set()
  let running = false
  return async function add(items) {
    for (const item of items) waiting.add(item)
    if (running) return
    running = true
    for (let wait = 1000; waiting.size; ) {
      const taken = [...waiting]
      waiting.clear()
      try {
        await task(taken)
        wait = 1000
      } catch {
        for (const item of taken) waiting.add(item)
        await pause(wait)
        wait = Math.min(wait * 2, SLOWEST)
      }
    }
    running = false
  }
}

// Wait for a time, or until the network is back.
export function pause(wait) {
  return new Promise((resolve) => {
    setTimeout(resolve, wait)
    addEventListener('online', resolve, { once: true })
  })
}

// What the browser keeps for us; one that keeps nothing is as good as an empty one.
export const store = {
  get(name) {
    try {
      return JSON.parse(localStorage.getItem(`parley:${name}`))
    } catch {
      return null
    }
  },
  set(name, value) {
    try {
      if (value === null) localStorage.removeItem(`parley:${name}`)
      else localStorage.setItem(`parley:${name}`, JSON.stringify(value))
    } catch {
      // a full or forbidden store only means that a reload forgets
    }
  },
  names(prefix) {
    try {
      return Object.keys(localStorage)
        .filter((name) => name.startsWith(`parley:${prefix}`))
        .map((name) => name.slice('parley:'.length))
    } catch {
      return []
    }
  },
}
