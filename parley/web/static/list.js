// The list of conversations: rows that come, change and go, searching, filtering, moving about.

import { glide, merge, steady } from './merge.js'
import { $, $$, gathering, part, pause } from './page.js'

const MOST = 60
const TYPING = 180
const AGAIN = 3000

let current = ''
let typing = 0
let searching = null
let shown = ''

export const rows = () => $('#rows')
const query = () => location.search

export function start(conversation) {
  current = conversation
  shown = location.search
  const list = $('#list')
  list.addEventListener('input', (event) => {
    if (event.target.id !== 'q') return
    clearTimeout(typing)
    typing = setTimeout(() => search(event.target.value), TYPING)
  })
  list.addEventListener('submit', (event) => {
    if (!event.target.matches('.search')) return
    event.preventDefault()
    clearTimeout(typing)
    search($('#q').value).then(() => focusRow($('.row a', rows())))
  })
  list.addEventListener('click', (event) => {
    const filter = event.target.closest('.filters a, .empty a')
    if (!filter || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    show(new URL(filter.href).search)
  })
  watchEnd()
}

function search(words) {
  const asked = new URLSearchParams(query())
  if (words.trim()) asked.set('q', words)
  else asked.delete('q')
  asked.delete('cursor')
  asked.delete('m')
  return show(asked.size ? `?${asked}` : '')
}

// Show the list for another query; the conversation beside it stays.
export async function show(asked) {
  searching?.abort()
  searching = new AbortController()
  const typed = $('#q')
  const kept = document.activeElement === typed ? [typed.value, typed.selectionStart] : null
  try {
    const url = new URL(`/list${asked}`, location)
    url.searchParams.set('current', current)
    const content = await part(url, { signal: searching.signal })
    history.replaceState(history.state, '', location.pathname + asked + location.hash)
    $('#list').replaceChildren(content)
    shown = asked
    if (kept) restore(kept)
    count(Number($('#unread').textContent))
    watchEnd()
  } catch (error) {
    if (error.name !== 'AbortError') console.warn('the list could not be fetched', error)
  }
}

function restore([words, place]) {
  const box = $('#q')
  box.value = words
  box.focus()
  box.setSelectionRange(place, place)
}

// After a step back: the list that belongs to the address.
export const follow = () => location.search !== shown && show(location.search)

// Bring rows up to date, the whole list where many changed.
export const refresh = gathering(async (ids) => {
  if (ids.length > MOST) return show(query())
  const url = new URL(`/rows${query()}`, location)
  for (const id of ids) url.searchParams.append('id', id)
  url.searchParams.set('current', current)
  const fresh = $('ol', await part(url))
  const scroller = $('.rows-scroll')
  if (url.searchParams.has('q')) for (const row of fresh.children) touch(row)
  else steady(scroller, scroller.scrollTop < 8, () => glide(rows(), () => sort(fresh)))
  count(Number(fresh.dataset.unread))
})

function sort(fresh) {
  const last = rows().lastElementChild?.dataset.key ?? ''
  const more = Boolean($('#more-rows'))
  const wanted = [...fresh.children].filter((row) => {
    const old = document.getElementById(row.id)
    if (row.dataset.fits === 'false' && row.dataset.id !== current) {
      old?.remove()
      return false
    }
    return old || (row.dataset.fits === 'true' && (!more || row.dataset.key > last))
  })
  merge(rows(), wanted, { descending: true, renew })
  if (rows().children.length) $('#empty')?.remove()
}

// What was found keeps its place and its words; only whether it is unread changes.
function touch(row) {
  const old = document.getElementById(row.id)
  if (!old) return
  old.className = `${row.className} ${old.matches('.hit') ? 'hit' : ''}`
  $('.row-unread', old)?.remove()
  const unread = $('.row-unread', row)
  if (unread) $('.row-line', old).append(unread)
}

// Put a new row into an old one's place, without taking the focus from who moves with the keyboard.
function renew(old, row) {
  const focused = old.contains(document.activeElement)
  old.replaceWith(row)
  if (focused) $('a', row).focus()
}

function count(unread) {
  const badge = $('#unread')
  badge.textContent = unread
  badge.hidden = !unread
  document.title = document.title.replace(/^(\(\d+\) )?/, unread ? `(${unread}) ` : '')
}

export function select(id) {
  current = id
  for (const link of $$('a[aria-current]', rows())) link.removeAttribute('aria-current')
  if (id) $(`#c-${CSS.escape(id)} a`)?.setAttribute('aria-current', 'page')
}

// The next row or the one before, from where the focus is or else from what is open.
export function move(step) {
  const links = $$('.row > a', rows())
  const here = links.indexOf(document.activeElement.closest?.('.row > a') ?? $('a[aria-current]', rows()))
  focusRow(links[here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1)])
}

function focusRow(link) {
  link?.focus()
  link?.scrollIntoView({ block: 'nearest' })
}

function watchEnd() {
  const more = $('#more-rows')
  if (!more) return
  const seen = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return
    seen.disconnect()
    try {
      const fresh = $('ol', await part(more.dataset.partial))
      const next = $('#more-rows', fresh)
      next?.parentNode.remove()
      merge(rows(), fresh.children, { descending: true })
      next ? more.replaceWith(next) : more.remove()
    } catch {
      await pause(AGAIN)
    }
    watchEnd()
  }, { root: $('.rows-scroll'), rootMargin: '600px' })
  seen.observe(more)
}
