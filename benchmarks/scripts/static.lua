wrk.method = "POST"
wrk.path = "/api/v1/agent/simple/run"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"message_content":"Hello, can you help me?","message_type":"t"}'
