// The one stream of a page: it says what has happened, the page fetches the parts that changed.

const GATHER = 40
const SLOWEST = 15000
const TYPES = [
  'message.created',
  'message.status',
  'conversation.read',
  'conversation.unread',
  'conversation.closed',
  'conversation.reopened',
  'conversation.failed',
  'conversation.mended',
]

// Follow the feed from a position on. Closed while nobody looks; what was missed comes on return, and where
// that is not known any more, everything is to be looked at anew.
export function follow(position, hear, show, anew) {
  let source = null
  let wait = 500
  let timer = 0
  let heard = []
  let gathered = 0

  function open() {
    clearTimeout(timer)
    if (source || document.hidden) return
    source = new EventSource(`/api/events?after=${encodeURIComponent(position)}`)
    source.onopen = () => {
      wait = 500
      show(true)
    }
    for (const type of TYPES) source.addEventListener(type, take)
    source.addEventListener('reset', (event) => {
      position = JSON.parse(event.data).next
      anew()
    })
    source.onerror = () => {
      show(false)
      // A browser that gave up by itself (an error page instead of a stream) is started again by us.
      if (source?.readyState !== EventSource.CLOSED) return
      source = null
      timer = setTimeout(open, wait)
      wait = Math.min(wait * 2, SLOWEST)
    }
  }

  function take(event) {
    position = event.lastEventId
    heard.push(JSON.parse(event.data))
    clearTimeout(gathered)
    gathered = setTimeout(flush, GATHER)
  }

  function flush() {
    const events = heard
    heard = []
    hear(events)
  }

  function close() {
    clearTimeout(timer)
    source?.close()
    source = null
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
  addEventListener('pagehide', close)
  addEventListener('pageshow', open)
  addEventListener('online', open)
  open()
}
