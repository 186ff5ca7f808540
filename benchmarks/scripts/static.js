import http from "k6/http";
import { check } from "k6";

const url = `${__ENV.BASE_URL}/api/v1/agent/simple/run`;
const body = '{"message_content":"Hello, can you help me?","message_type":"t"}';
const params = { headers: { "Content-Type": "application/json" } };

export default function () {
  const answer = http.post(url, body, params);
  check(answer, { "status is 200": (r) => r.status === 200 });
}
