"""The change feed: what happened, in order, for the live page, for programs and for the next process."""
