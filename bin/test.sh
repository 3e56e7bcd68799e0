#!/bin/sh
# Sends every request of the API to a running service and compares the status with what it should be.
# BASE_URL names the service; SIMULATORS=off says that it runs without simulated providers.
set -u

base=${BASE_URL:-http://localhost:8080}
base=${base%/}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
run=$(date +%s)-$$
wrong=0

# request EXPECTED METHOD PATH [BODY]: send, print one line, keep the answer in $scratch/answer
request() {
    expected=$1 method=$2 path=$3
    set -- -sS -o "$scratch/answer" -w '%{http_code}' -X "$method" ${4:+-H 'Content-Type: application/json' -d "$4"}
    status=$(curl "$@" --max-time 30 "$base$path" 2>"$scratch/error")
    if [ "$status" = "$expected" ]; then
        printf 'ok    %s  %-4s %s\n' "$status" "$method" "$path"
    else
        wrong=$((wrong + 1))
        printf 'WRONG %s  %-4s %s (expected %s)\n' "$status" "$method" "$path" "$expected"
        head -c 300 "$scratch/error" "$scratch/answer" 2>/dev/null | grep -v '^$'
    fi
}

# field NAME: a text field of the last answer
field() {
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" "$scratch/answer" | head -n 1
}

now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
sms='"from":"+12016661234","to":"+18045551234"'
email='"from":"team@example.com","to":"contact@example.org"'

echo "Sending"
request 202 POST /api/messages/sms "{$sms,\"type\":\"sms\",\"body\":\"Hello\",\"attachments\":null,\"timestamp\":\"$now\"}"
message=$(field message_id)
conversation=$(field conversation_id)
request 202 POST /api/messages/sms "{$sms,\"type\":\"MMS\",\"body\":\"A picture\",\"attachments\":[\"https://example.com/image.jpg\"],\"timestamp\":\"$now\"}"
request 202 POST /api/messages/email "{$email,\"body\":\"<b>Hello</b>\",\"attachments\":[],\"timestamp\":\"$now\"}"
request 202 POST /api/messages/send "{$email,\"type\":\"email\",\"body\":\"Hello\",\"timestamp\":\"$now\"}"
request 400 POST /api/messages/sms "{$sms,\"type\":\"sms\",\"body\":\"\",\"timestamp\":\"$now\"}"
request 422 POST /api/messages/send "{$sms,\"type\":\"pigeon\",\"body\":\"Hello\",\"timestamp\":\"$now\"}"

echo "Receiving"
reply='"from":"+18045551234","to":"+12016661234"'
request 202 POST /api/webhooks/sms "{$reply,\"type\":\"sms\",\"messaging_provider_id\":\"sms-$run\",\"body\":\"Hello back\",\"attachments\":null,\"timestamp\":\"$now\"}"
request 202 POST /api/webhooks/sms "{$reply,\"type\":\"mms\",\"messaging_provider_id\":\"mms-$run\",\"body\":\"\",\"attachments\":[\"https://example.com/image.jpg\"],\"timestamp\":\"$now\"}"
request 202 POST /api/webhooks/email "{\"from\":\"contact@example.org\",\"to\":\"team@example.com\",\"xillio_id\":\"email-$run\",\"body\":\"<p>Hello back</p>\",\"attachments\":[],\"timestamp\":\"$now\"}"

echo "Reading"
request 200 GET /api/conversations
request 200 GET '/api/conversations?page=1&pageSize=10'
request 200 GET "/api/conversations/$conversation"
uuid=$(field uuid)
request 200 GET "/api/conversations/$conversation/messages"
request 200 GET "/api/conversations/$uuid/messages"
request 404 GET /api/conversations/999999999/messages
request 200 GET "/api/messages/$message"
request 200 GET '/api/search?q=hello'
request 200 GET /api/events
request 400 GET '/api/events?after=yesterday'

echo "Simulated providers"
if [ "${SIMULATORS:-on}" = off ]; then
    request 404 GET /api/provider/mock/config
else
    request 202 POST /api/provider/mock/inbound "{\"channel\":\"sms\",$reply,\"messaging_provider_id\":\"mock-$run\",\"body\":\"From the simulator\",\"timestamp\":\"$now\"}"
    request 200 GET /api/provider/mock/config
    request 200 PUT /api/provider/mock/config "$(cat "$scratch/answer")"
fi

echo "Deciding"
request 200 POST "/api/conversations/$conversation/read"
request 200 POST "/api/conversations/$conversation/unread"
request 200 POST "/api/conversations/$conversation/close"
request 200 POST "/api/conversations/$conversation/reopen"
request 200 GET /api/dead-letters
request 404 POST /api/messages/00000000-0000-7000-8000-000000000000/retry
request 404 POST /api/messages/00000000-0000-7000-8000-000000000000/cancel

echo "Operating"
request 200 GET /api/providers
request 200 GET /healthz
request 200 GET /health
request 200 GET /readyz
request 200 GET /metrics
request 200 GET /openapi.json
request 200 GET /docs
request 200 GET /

echo "Earlier addresses"
request 200 POST /api/send_message "{$sms,\"body\":\"Hello\"}"
request 200 POST /api/send_email '{"to_email":"contact@example.org","subject":"Hello","body":"Hello"}'
request 200 GET "/api/conversation/$uuid/messages"
request 200 GET "/api/conversation/$uuid/new_messages?since=2024-11-01T14:00:00Z"
request 400 GET "/api/conversation/$uuid/new_messages"

if [ "$wrong" -gt 0 ]; then
    echo "$wrong of the answers are not as expected"
    exit 1
fi
echo "All answers are as expected"
