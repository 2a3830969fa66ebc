// Unleash's web client, unchanged: asks with GET and with POST, hears of a change, reports its metrics, and prints what it got.
import { UnleashClient } from "unleash-proxy-client";

const [url, clientKey, wanted] = process.argv.slice(2);
const statuses = [];
const counting = async (target, options) => {
  const answer = await fetch(target, options);
  statuses.push(`${options.method} ${new URL(target).pathname.split("/").pop()} ${answer.status}`);
  return answer;
};

const client = (options) =>
  new UnleashClient({
    url, clientKey, appName: "shop", fetch: counting, disableRefresh: true, metricsInterval: 0, ...options,
    context: { userId: "42", sessionId: "session-1", properties: { plan: "pro" } },
  });
const answers = (unleash) => ({
  enabled: Object.fromEntries(["for_all", "switched_off", "for_42", "for_pro", "hidden"].map((name) => [name, unleash.isEnabled(name)])),
  colour: unleash.getVariant("colour"),
  limit: unleash.getVariant("limit").payload,
  layout: unleash.getVariant("layout").payload,
  none: unleash.getVariant("for_all"),
});

const error = (unleash) => new Promise((resolve) => unleash.on("error", resolve));
const get = client({});
const failed = error(get);
await get.start();
if (wanted === "refused") {
  console.log(JSON.stringify({ error: await failed }));
  process.exit(0);
}
await get.updateToggles(); // the same again: 304
const post = client({ usePOSTrequests: true });
await post.start();
const told = { get: answers(get), post: answers(post) };
await get.sendMetrics();
console.log(JSON.stringify({ ...told, statuses }));
get.stop();
post.stop();
process.exit(0);
