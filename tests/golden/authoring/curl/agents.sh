#!/bin/sh
# The agents API, as its manual shows it.
API=http://127.0.0.1:8000

# Who is there?
curl -sS "$API/api/v1/agent/list" -H "x-api-key: $API_KEY"

curl --request POST --url "$API/api/v1/agent/simple_agent/run" \
  --header "Content-Type: application/json" \
  --header "x-api-key: $API_KEY" \
  --max-time 10 \
  --data '{
    "message_content": "Summarise {{ this }} for ${me}",
    "message_type": "text",
    "session_name": "manual"
  }'

curl --json '{"email": "ada@example.com"}' "$API/api/v1/users" -H "x-api-key: $API_KEY"
