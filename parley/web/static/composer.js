// The box at the foot of a conversation: drafts, the channel, the counter, and sending.

import { $, $$, store } from './page.js'
import { count } from './counter.js'
import { send } from './outbox.js'

const MOST_ATTACHMENTS = 8

// On a phone there is no Shift+Enter: Enter begins a line there, and the arrow sends.
const thumbs = matchMedia('(pointer: coarse)')

export function attach(pane) {
  const form = $('#composer', pane)
  const box = $('#box', form)
  restore(form)
  refresh(form)
  form.addEventListener('input', (event) => {
    if (event.target.name === 'attachments') follow(form)
    keep(form)
    refresh(form)
  })
  form.addEventListener('submit', (event) => submit(event, form))
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || thumbs.matches) return
    event.preventDefault()
    form.requestSubmit()
  })
}

const name = (form) => `draft:${form.dataset.conversation}`
const channel = (form) => new FormData(form).get('channel')
const attachments = (form) => $$('[name=attachments]', form).map((one) => one.value.trim()).filter(Boolean)

function submit(event, form) {
  event.preventDefault()
  const fields = new FormData(form)
  const order = {
    from: fields.get('from'),
    to: fields.get('to'),
    type: fields.get('channel'),
    body: fields.get('body'),
    attachments: attachments(form),
  }
  const wrong = problem(order, form)
  show(form, wrong)
  if (wrong !== null) return
  if (fields.has('subject')) order.subject = fields.get('subject').trim() || null
  clear(form)
  send(order, form.dataset.conversation)
}

// What keeps a message from being sent, in words; nothing at all for an empty box.
function problem(order, form) {
  if (!$$('[name=attachments]', form).every((one) => one.checkValidity())) return 'An attachment needs an address that begins with https://'
  if (order.type === 'mms' && !order.attachments.length) return 'An MMS needs the address of a picture: add one with the paper clip, or switch to SMS'
  if (order.type !== 'mms' && !order.body.trim()) return ''
  return null
}

export function show(form, wrong) {
  const place = $('.wrong', form)
  place.textContent = wrong ?? ''
  place.hidden = !wrong
}

function clear(form) {
  $('#box', form).value = ''
  for (const one of $$('.attach-line', form).slice(1)) one.remove()
  const first = $('[name=attachments]', form)
  if (first) first.value = ''
  $('.attach', form).open = false
  const sms = $('[name=channel][value=sms]', form)
  if (sms) sms.checked = true
  store.set(name(form), null)
  refresh(form)
}

// An attachment makes an SMS an MMS; and there is always room for one more.
function follow(form) {
  const given = attachments(form).length
  const mms = $(`[name=channel][value=${given ? 'mms' : 'sms'}][type=radio]`, form)
  if (mms) mms.checked = true
  const lines = $$('.attach-line', form)
  const last = lines.at(-1)
  if (!$('input', last).value || lines.length >= MOST_ATTACHMENTS) return
  const more = last.cloneNode(true)
  $('input', more).value = ''
  last.after(more)
}

function keep(form) {
  const [body, subject] = [$('#box', form).value, $('#subject', form)?.value]
  const draft = { body, subject, attachments: attachments(form), channel: channel(form) }
  store.set(name(form), body || draft.attachments.length ? draft : null)
}

function restore(form) {
  const draft = store.get(name(form))
  const box = $('#box', form)
  if (!draft || box.value) return
  fill(form, draft)
}

// Put a message (back) into the box.
export function fill(form, { body, subject, attachments: urls = [], channel: wanted }) {
  $('#box', form).value = body
  if (subject && $('#subject', form)) $('#subject', form).value = subject
  for (const url of urls) {
    $('.attach', form).open = true
    $$('[name=attachments]', form).at(-1).value = url
    follow(form)
  }
  const radio = $(`[name=channel][value=${wanted}][type=radio]`, form)
  if (radio) radio.checked = true
  refresh(form)
}

function refresh(form) {
  const box = $('#box', form)
  count($('#counter', form), box, channel(form))
  if (channel(form) === 'mms' && !attachments(form).length) $('.attach', form).open = true
  if (CSS.supports('field-sizing', 'content')) return
  box.style.height = 'auto'
  box.style.height = `${box.scrollHeight}px`
}
