"""SendGrid's Mail Send API: `https://api.sendgrid.com/v3/mail/send`."""
