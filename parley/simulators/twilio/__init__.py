"""Twilio's Programmable Messaging: `https://api.twilio.com/2010-04-01/Accounts/{sid}/Messages…`."""
