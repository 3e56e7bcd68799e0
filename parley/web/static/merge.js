// Sorts elements by their keys into a list that is being looked at, so that nothing jumps.

import { stillness } from './page.js'

// Put elements with `data-key` into a list; `renew` brings one up to date that keeps its place.
export function merge(list, elements, { descending = false, renew = (old, one) => old.replaceWith(one) } = {}) {
  for (const one of [...elements]) {
    const old = document.getElementById(one.id)
    if (old && old.parentNode === list && old.dataset.key === one.dataset.key) {
      renew(old, one)
    } else {
      old?.remove()
      list.insertBefore(one, place(list, one.dataset.key, descending))
    }
  }
}

// The element before which a key belongs; looked for from the end where a list grows at its end.
function place(list, key, descending) {
  if (descending) return [...list.children].find((other) => other.dataset.key < key) ?? null
  let before = null
  for (let other = list.lastElementChild; other; other = other.previousElementSibling) {
    if (other.dataset.key <= key) break
    before = other
  }
  return before
}

// Change what is in a scroller while the reader's place stays where it is.
export function steady(scroller, atRest, change) {
  const anchor = atRest ? null : firstVisible(scroller)
  const top = anchor?.getBoundingClientRect().top
  const result = change()
  if (anchor?.isConnected) scroller.scrollTop += anchor.getBoundingClientRect().top - top
  return result
}

// A day stays where it is when messages come between it and those that are shown, so it is no anchor.
function firstVisible(scroller) {
  const edge = scroller.getBoundingClientRect().top
  return [...scroller.querySelectorAll('[data-key]:not(.day)')].find((one) => one.getBoundingClientRect().bottom > edge)
}

// Let the elements of a list glide to their new places.
export function glide(list, change) {
  if (stillness.matches) return change()
  const before = new Map([...list.children].map((one) => [one.id, one.getBoundingClientRect().top]))
  const result = change()
  for (const one of list.children) {
    const moved = before.has(one.id) ? before.get(one.id) - one.getBoundingClientRect().top : 0
    if (moved && Math.abs(moved) < innerHeight) {
      one.animate([{ transform: `translateY(${moved}px)` }, { transform: 'none' }], { duration: 180, easing: 'ease-out' })
    }
  }
  return result
}
