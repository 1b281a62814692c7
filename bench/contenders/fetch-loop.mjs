// The way of a JavaScript action: Node's own fetch in a loop.

import { setTimeout as sleep } from "node:timers/promises";

const { BASE_URL, PIPELINE_ID, RUN_ID, DADOSFERA_USERNAME, DADOSFERA_PASSWORD } = process.env;

async function ask(path, options) {
  const answer = await fetch(BASE_URL + path, { signal: AbortSignal.timeout(30_000), ...options });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

const signedIn = await ask("/auth/sign-in", {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ username: DADOSFERA_USERNAME, password: DADOSFERA_PASSWORD, totp: null }),
});
const headers = { authorization: signedIn.tokens.accessToken };
for (;;) {
  const run = await ask(`/platform/pipeline/${PIPELINE_ID}/pipeline_run/${RUN_ID}`, { headers });
  console.log(run.last_status);
  if (run.last_status === "SUCCESS") process.exit(0);
  if (run.last_status === "FAILED") process.exit(1);
  await sleep(10_000);
}
