"""Telnyx's Messaging API: `https://api.telnyx.com/v2/messages`."""
