-- Posts unique messages over many conversations. Arguments: a path, `ingest` or `send`, a prefix that no other
-- run has, the business's number, the first customer's number without its +, how many customers there are.
local HEAD = "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
local INGEST = '{"from":"+%d","to":"%s","type":"sms","messaging_provider_id":"%s-%d","body":"%s","attachments":null,"timestamp":"%s"}'
local SEND = '{"from":"%s","to":"+%d","type":"sms","body":"%s","attachments":null,"timestamp":"%s"}'
local BODY = "Hello, your order %d has left our house and should reach you tomorrow before noon."

require "report"

local path, kind, prefix, business, first, count
local n, now, again = 0, "", 0

function init(args)
   path, kind, prefix, business = args[1], args[2], args[3], args[4]
   first, count = tonumber(args[5]), tonumber(args[6])
   math.randomseed(os.time())
end

function request()
   n = n + 1
   if n >= again then
      now, again = os.date("!%Y-%m-%dT%H:%M:%SZ"), n + 100
   end
   local customer, text = first + math.random(0, count - 1), BODY:format(n)
   local body
   if kind == "ingest" then
      body = INGEST:format(customer, business, prefix, n, text, now)
   else
      body = SEND:format(business, customer, text, now)
   end
   return HEAD:format(path, #body, body)
end
