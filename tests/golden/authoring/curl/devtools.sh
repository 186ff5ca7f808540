curl 'https://tracker.example.com/login' \
  -H 'accept: text/html,application/xhtml+xml' \
  -H 'accept-language: en-GB,en;q=0.9' \
  -H 'content-type: application/x-www-form-urlencoded' \
  -b '_ga=GA1.2.3; csrftoken=c9f0f895fb98ab91' \
  -H 'origin: https://tracker.example.com' \
  -H 'sec-ch-ua: "Chromium";v="126", "Not/A)Brand";v="8"' \
  -H 'sec-fetch-mode: navigate' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --data-raw 'username=ada&password=correct+horse&next=%2Fissues' ;
curl 'https://tracker.example.com/api/issues?state=open&labels=bug%2Cui' \
  -H 'authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln' \
  -H 'sec-fetch-mode: cors' \
  --compressed ;
curl 'https://tracker.example.com/api/graphql' \
  -H 'authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln' \
  -H 'content-type: application/json' \
  --data-raw $'{"operationName":"Board","variables":{"id":"B-1"},"query":"query Board($id: ID\u0021) {\\n  board(id: $id) { title columns { name } }\\n}"}' ;
curl 'https://tracker.example.com/api/issues/17/files' \
  -X 'PUT' \
  -H 'authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln' \
  -H 'content-type: multipart/form-data; boundary=----WebKitFormBoundaryy7Ow' \
  --data-raw $'------WebKitFormBoundaryy7Ow\r\nContent-Disposition: form-data; name="title"\r\n\r\nScreen shot\r\n------WebKitFormBoundaryy7Ow\r\nContent-Disposition: form-data; name="file"; filename="screen.png"\r\nContent-Type: image/png\r\n\r\n\r\n------WebKitFormBoundaryy7Ow--\r\n'
curl https://tracker.example.com/api/imports -u 'bot:hunter22' -F 'kind=csv' -F 'rows=@"data/rows.csv";type=text/csv' -F 'meta={"dry": true};type=application/json' --form-string 'note=@none;type=x'
curl -G https://tracker.example.com/api/search --data-urlencode 'q=is:open author:"ada l"' -H 'Authorization: Basic Ym90Omh1bnRlcjIy'
