curl 'https://shop.example.com/api/search?q=red%20shoes&page=1&sort=' \
  -H 'accept: application/json' \
  -H 'accept-language: en-GB,en;q=0.9' \
  -H 'cookie: sid=8f14e45fceea167a; cart=c9f0f895fb98ab91' \
  -H 'sec-ch-ua: "Chromium";v="126"' \
  -H 'sec-fetch-mode: cors' \
  -H 'user-agent: Mozilla/5.0 (X11; Linux x86_64)' \
  --compressed ;
curl 'https://shop.example.com/api/cart/items' \
  -H 'accept: application/json' \
  -H 'authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl' \
  -H 'content-type: application/json;charset=UTF-8' \
  -H 'x-csrf-token: 7d793037a0760186' \
  --data-raw $'{"sku":"A-1","quantity":2,"gift":true,"note":"it\'s {{ for }} \u00e9va\\n"}' ;
curl 'https://shop.example.com/login' -X POST \
  --data 'email=ada%40example.com&password=correct+horse&remember=on'
curl 'https://metrics.example.net/collect?e=click' -b 'id=1' -k
curl -F 'photo=@me.png' 'https://shop.example.com/profile/photo'
curl -X PURGE 'https://shop.example.com/cache'
curl 'ftp://files.example.com/list.txt'
