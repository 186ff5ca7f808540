import http from "k6/http";
import { check } from "k6";
import exec from "k6/execution";

const url = `${__ENV.BASE_URL}/api/v1/agent/simple/run`;
const params = { headers: { "Content-Type": "application/json" } };

export default function () {
  const number = exec.scenario.iterationInTest;
  const body = JSON.stringify({
    message_content: `Hello, can you help me? ${number}`,
    message_type: "text",
    session_name: `session-${number}`,
  });
  const answer = http.post(url, body, params);
  const parsed = answer.json();
  check(answer, { "status is 200": (r) => r.status === 200, success: () => parsed.success });
  const runId = parsed.id;
}
