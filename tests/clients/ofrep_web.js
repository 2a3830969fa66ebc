// OpenFeature's web SDK with its OFREP provider, unchanged, outside of a browser: what it gets, and what it hears of a change. It prints a
// line when it is ready, and one when a flag has changed.
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { EventSource } from "eventsource";

const [site, cookie] = process.argv.slice(2);
// a browser sends the visitor's cookie by itself
globalThis.EventSource = class extends EventSource {
  constructor(url) {
    super(url, { fetch: (target, init) => fetch(target, { ...init, headers: { ...init.headers, cookie } }) });
  }
};
const provider = new OFREPWebProvider({ baseUrl: `${site}/.flagstaff`, headers: [["cookie", cookie]], cacheMode: "disabled" });
await OpenFeature.setProviderAndWait(provider);
const client = OpenFeature.getClient();
const told = () => ({
  boolean: client.getBooleanDetails("for_all", false),
  disabled: client.getBooleanDetails("switched_off", true),
  string: client.getStringDetails("colour", "none"),
  number: client.getNumberDetails("limit", 0),
  fraction: client.getNumberDetails("price", 0),
  object: client.getObjectDetails("layout", {}),
  hidden: client.getBooleanDetails("half", true),
  wrong_type: client.getNumberDetails("colour", 7),
});
console.log(JSON.stringify(told()));
client.addHandler(ProviderEvents.ConfigurationChanged, ({ flagsChanged }) => {
  console.log(JSON.stringify({ changed: flagsChanged, ...told() }));
  process.exit(0);
});
