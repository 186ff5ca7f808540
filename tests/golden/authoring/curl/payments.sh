export KEY=sk_test_4eC39HqLyjWDarjtT1zdp7dc
HOST=https://api.payments.example/v1

curl $HOST/charges -u $KEY: -d amount=2000 -d currency=eur -d "metadata[order]=6735" -d source=tok_visa
curl -G $HOST/charges -u "$KEY:" --data-urlencode "created[gte]=2024-01-01 00:00" -d limit=3
curl -X DELETE $HOST/customers/cus_4QFJOjw2pOmAGJ -u "$KEY:" --connect-timeout 2 -m 8
curl -I $HOST/health
curl -u ada:lovelace42 "$HOST/reports?format=csv&access_token=tok-77777"
curl $HOST/notes -H 'Content-Type: text/markdown' -d '# Title {% raw %}
- {{ item }} costs ${price}'
curl $HOST/statement -d @statement.json
curl -T upload.bin $HOST/files
