// The conversation that is open: going to another, messages that come and change, older ones while scrolling up.

import { merge, steady } from './merge.js'
import { $, gathering, part, pause, say } from './page.js'
import { settled } from './outbox.js'
import * as list from './list.js'
import { fit } from './mail.js'

const MOST = 60
const AT_REST = 60
const AGAIN = 3000

let opening = null
const opened = []
const merged = []
const grown = []

export const current = () => $('#pane')?.dataset.id ?? ''
const scroller = () => $('#scroller')
const isAtRest = () => scroller().scrollTop > -AT_REST

// Have something done whenever a conversation is put on the page.
export function onOpen(act) {
  opened.push(act)
  if ($('#pane')) act($('#pane'))
}

// Have something done whenever messages have been put on the page.
export const onMerge = (act) => merged.push(act)

// Have something done whenever the other side has written to the conversation that is open.
export const onGrow = (act) => grown.push(act)

export function start() {
  onOpen(() => {
    watchBeginning()
    fit($('#messages'))
    scroller().addEventListener('scroll', () => isAtRest() && ($('#to-end').hidden = true), { passive: true })
    $('#to-end').addEventListener('click', toEnd)
  })
  addEventListener('popstate', async () => {
    list.follow()
    if (await go(location)) find()
  })
  find()
}

// Go to a conversation, or to none, and remember the way back.
export async function open(address) {
  const url = new URL(address, location)
  if (!(await go(url))) return
  history.pushState(null, '', url)
  find()
}

async function go(url) {
  opening?.abort()
  opening = new AbortController()
  const id = url.pathname.startsWith('/c/') ? url.pathname.slice(3) : ''
  try {
    const content = await part(id ? `/c/${id}/pane${url.search}` : '/nothing', { signal: opening.signal })
    $('#main').replaceChildren(content)
  } catch (error) {
    if (error.name !== 'AbortError') location.assign(url)
    return false
  }
  $('.app').classList.toggle('shows-pane', Boolean(id))
  const unread = document.title.match(/^\(\d+\) /)?.[0] ?? ''
  document.title = unread + (id ? `${$('#pane-name').textContent} · Parley` : 'Parley')
  list.select(id)
  if (id) for (const act of opened) act($('#pane'))
  return true
}

// The newest messages: further down, or, from a stretch further back, on a page of their own.
export function toEnd() {
  const newer = $('#newer')
  if (newer) open(newer.href)
  else scroller().scrollTop = 0
}

// Fetch the conversation that is open as if it were opened now.
export const again = () => current() && go(location)

// Bring the message into view that somebody came for.
function find() {
  const message = location.hash.startsWith('#m-') ? document.getElementById(location.hash.slice(1)) : null
  message?.scrollIntoView({ block: 'center' })
  message?.classList.add('found')
}

// Bring messages up to date; what is older than all that is shown will come when one scrolls there.
export const refresh = gathering(async (ids) => {
  const id = current()
  if (!id) return
  await settled()
  if (ids.length > MOST) return void again()
  const asked = new URLSearchParams(ids.map((one) => ['id', one]))
  const fresh = await part(`/c/${id}/messages?${asked}`)
  if (id !== current()) return
  const messages = $('#messages')
  const oldest = $('#older') ? messages.firstElementChild?.dataset.key ?? '' : ''
  const before = messages.lastElementChild?.dataset.key ?? ''
  const isNews = (one) => one.dataset.key > before
  const news = [...fresh.children].some(isNews)
  const wanted = [...fresh.children].filter((one) => one.dataset.key >= oldest && !($('#newer') && isNews(one)))
  const heard = wanted.some((one) => one.matches('.inbound') && !document.getElementById(one.id))
  steady(scroller(), isAtRest(), () => {
    merge(messages, wanted, { renew })
    for (const act of merged) act()
  })
  fit(messages)
  if (news && (!isAtRest() || $('#newer'))) $('#to-end').hidden = false
  if (heard) for (const act of grown) act()
})

// A message itself never changes, only what became of it.
function renew(old, message) {
  if (!old.matches('.message')) return
  const [was, is] = [$('[data-part=meta]', old), $('[data-part=meta]', message)]
  const status = $('.status', is)?.textContent
  if (status && status !== $('.status', was)?.textContent) say(status)
  old.className = message.className
  was.replaceWith(is)
  if ($('.story', was)?.open) $('.story', is).open = true
}

function watchBeginning() {
  const older = $('#older')
  if (!older) return
  const seen = new IntersectionObserver(async ([entry]) => {
    if (!entry.isIntersecting) return
    seen.disconnect()
    try {
      await goBack(older)
    } catch {
      await pause(AGAIN)
    }
    watchBeginning()
  }, { root: scroller(), rootMargin: '900px 0px 0px' })
  seen.observe(older)
}

async function goBack(older) {
  const fresh = await part(older.dataset.partial)
  if (!older.isConnected) return
  const next = $('#older', fresh)
  next?.parentNode.remove()
  const messages = $('#messages')
  // What is old is not news, and need not be read aloud.
  messages.ariaBusy = 'true'
  steady(scroller(), false, () => merge(messages, fresh.children, { renew }))
  messages.ariaBusy = 'false'
  fit(messages)
  older.replaceWith(next ?? $('#beginning').content.cloneNode(true))
}
