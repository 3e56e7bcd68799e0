"""Delivers what is stored: never loses a message, never sends blindly twice, and says what it does not know.

Decided here, and why:

- A claim is the intent: committed before the request leaves, so that a dead worker leaves a doubt and no gap.
- Doubt is a phase of its own (`ask`). Out of it lead only the provider's word or the operator's policy.
- Messages of a conversation go one after the other. One that waits for its retry or is in doubt holds back the
  later ones: a reply must not overtake what it refers to, and a look-up by addresses and text must never meet
  two open attempts. The wait is bounded by the retries and by UNKNOWN_WAIT_SECS; what is given up frees the rest.
- Priority decides between conversations, never within one.
- An open breaker costs nothing: its channel is not looked at, no row is touched, no attempt is spent.
"""
