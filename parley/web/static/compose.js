// The large form: a new message to anybody, or an email with everything that one can have.

import { $, $$, part, store } from './page.js'
import { count } from './counter.js'
import * as outbox from './outbox.js'
import * as thread from './thread.js'

const DRAFT = 'draft:new'
const NEW = 'new'
const PATIENCE = 2000
const KEPT = ['channel', 'to', 'from', 'subject', 'cc', 'bcc', 'reply_to', 'attachments', 'body']

export function start() {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('[data-compose]')
    if (link && !event.metaKey && !event.ctrlKey) {
      event.preventDefault()
      open(link.getAttribute('href'))
    }
    const close = event.target.closest('#compose-dialog [data-close]')
    if (close) {
      event.preventDefault()
      $('#compose-dialog').close()
    }
  })
  outbox.watch((what, entry) => what === 'refused' && refused(entry))
  $('#compose-dialog')?.addEventListener('close', (event) => event.target.replaceChildren())
  if ($('#compose')) attach($('#compose'))
}

// Open the form; an email that was begun in the small box goes on in the large one.
export async function open(href = '/new') {
  const dialog = $('#compose-dialog')
  if (!dialog) return location.assign(href)
  try {
    dialog.replaceChildren(await part(href + (href.includes('?') ? '&' : '?') + 'part=1'))
  } catch {
    return location.assign(href)
  }
  const form = $('#compose', dialog)
  dialog.ariaLabel = $('h2', form).textContent
  attach(form)
  const small = form.dataset.conversation && $('#composer')
  if (small) {
    form.elements.body.value = small.elements.body.value
    if (small.elements.subject) form.elements.subject.value = small.elements.subject.value
  }
  dialog.showModal()
  const empty = [form.elements.to, form.elements.from].find((field) => !field.value)
  ;(empty ?? form.elements.body).focus()
}

function attach(form) {
  if (!form.dataset.conversation) restore(form)
  const refresh = () => {
    count($('.counter', form), form.elements.body, channel(form))
  }
  refresh()
  form.addEventListener('input', () => {
    if (!form.dataset.conversation) keep(form)
    refresh()
  })
  form.elements.to.addEventListener('change', () => {
    suggest(form)
    refresh()
  })
  form.addEventListener('change', (event) => event.target.name === 'channel' && own(form))
  form.addEventListener('submit', (event) => submit(event, form))
}

const channel = (form) => new FormData(form).get('channel')

// An address says which channel it takes.
function suggest(form) {
  const email = form.elements.to.value.includes('@')
  if (email === (channel(form) === 'email')) return
  $(`[name=channel][value=${email ? 'email' : 'sms'}]`, form).checked = true
  own(form)
}

// A channel needs an address of ours that is of its kind.
function own(form) {
  const email = channel(form) === 'email'
  const known = $$('datalist option', form).map((option) => option.value)
  const from = form.elements.from
  if (!from.value || from.value.includes('@') !== email) from.value = known.find((one) => one.includes('@') === email) ?? ''
}

async function submit(event, form) {
  if (event.submitter?.formAction.endsWith('/preview')) return renewPreview(form)
  event.preventDefault()
  const order = read(form)
  show(form, '')
  // From here on the outbox has it: a draft that stayed would be sent a second time after a reload.
  forget(form)
  const button = $('footer .button', form)
  button.disabled = true
  const slow = setTimeout(() => show(form, 'No answer yet, trying again'), PATIENCE)
  const answer = await outbox.send(order, form.dataset.conversation ?? NEW)
  clearTimeout(slow)
  button.disabled = false
  if (!answer.ok) return show(form, answer.why)
  $('#compose-dialog')?.close()
  const address = `/c/${answer.conversation}`
  $('#rows') ? thread.open(address) : location.assign(address)
}

// What is refused becomes a draft again, unless another one has been begun meanwhile.
function refused({ order, conversation }) {
  if (conversation !== NEW || store.get(DRAFT)?.body) return
  const { type, attachments, cc = [], bcc = [], ...rest } = order
  store.set(DRAFT, { ...rest, channel: type, attachments: attachments.join(' '), cc: cc.join(', '), bcc: bcc.join(', ') })
}

function read(form) {
  const value = (name) => form.elements[name].value.trim()
  const mailboxes = (name) => value(name).split(',').map((one) => one.trim()).filter(Boolean)
  const type = channel(form)
  const order = {
    from: value('from'),
    to: value('to'),
    type,
    body: form.elements.body.value,
    attachments: value('attachments').split(/\s+/).filter(Boolean),
  }
  if (type !== 'email') return order
  return {
    ...order,
    subject: value('subject') || null,
    cc: mailboxes('cc'),
    bcc: mailboxes('bcc'),
    reply_to: value('reply_to') || null,
  }
}

// A frame that is new each time leaves no steps behind in the browser's history.
function renewPreview(form) {
  const frame = $('iframe[name=preview]', form)
  frame.replaceWith(frame.cloneNode())
}

function show(form, why) {
  const place = $('.wrong', form)
  place.textContent = why
  place.hidden = !why
}

function keep(form) {
  const fields = new FormData(form)
  store.set(DRAFT, Object.fromEntries(KEPT.map((name) => [name, fields.get(name)])))
}

function restore(form) {
  const draft = store.get(DRAFT)
  if (!draft || form.elements.to.value) return
  for (const [name, value] of Object.entries(draft)) {
    if (name === 'channel') $$('[name=channel]', form).forEach((one) => (one.checked = one.value === value))
    else if (value) form.elements[name].value = value
  }
}

function forget(form) {
  if (!form.dataset.conversation) return store.set(DRAFT, null)
  const small = $('#composer')
  if (!small) return
  small.elements.body.value = ''
  small.elements.body.dispatchEvent(new Event('input', { bubbles: true }))
}
