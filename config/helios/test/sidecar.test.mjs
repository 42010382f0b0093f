// What stands around Helios. Helios itself runs against a beacon simulator in the drill `helios`.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { bound } from "../fetch.mjs";
import { serve } from "../rpc.mjs";
import { parse } from "../settings.mjs";

const CALL = { jsonrpc: "2.0", id: 7, method: "eth_chainId", params: [] };

/** Posts to a sidecar that asks `request`; resolves to the status and what it answered. */
async function ask(request, body, init = {}) {
  const server = await serve(request, 0, 50);
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`http://127.0.0.1:${server.address().port}`, { method: "POST", headers, body: text, ...init });
  const reply = answer.status === 200 ? await answer.json() : null;
  server.close();
  return { status: answer.status, reply };
}

test("a call is handed on and its answer handed back", async () => {
  const { reply } = await ask(async (asked) => ({ asked, big: 255n }), CALL);
  assert.deepEqual(reply, { jsonrpc: "2.0", id: 7, result: { asked: { method: "eth_chainId", params: [] }, big: "0xff" } });
  assert.equal((await ask(async () => undefined, CALL)).reply.result, null);
});

test("what is no call has its JSON-RPC error", async () => {
  const cases = [["{", -32700], ["[]", -32600], ["null", -32600], [{ ...CALL, params: {} }, -32600], [{ ...CALL, id: {} }, -32600], [{ ...CALL, method: "eth_sendRawTransaction" }, -32601]];
  for (const [body, code] of cases) assert.equal((await ask(async () => 1, body)).reply.error.code, code, JSON.stringify(body));
});

test("what Helios cannot answer is an error without addresses, in time", async () => {
  const thrown = await ask(async () => { throw new Error("no way to https://node/KEY today\nstack"); }, CALL);
  assert.deepEqual(thrown.reply.error, { code: -32000, message: "no way to <url> today" });
  assert.match((await ask(() => new Promise(() => {}), CALL)).reply.error.message, /deadline/);
});

test("only a JSON POST of bounded length is read", async () => {
  assert.equal((await ask(async () => 1, "x".repeat(70_000))).status, 413);
  assert.equal((await ask(async () => 1, CALL, { headers: { "content-type": "text/plain" } })).status, 415);
  assert.equal((await ask(async () => 1, CALL, { method: "GET", body: undefined })).status, 405);
});

test("settings are whole, or every mistake is named and no value repeated", () => {
  const checkpoint = `0x${"ab".repeat(32)}`;
  const good = { network: "mainnet", consensus_rpc: "https://beacon/KEY", execution_rpc: "http://node", checkpoint };
  assert.deepEqual(parse(JSON.stringify(good)), { port: 8555, ...good });
  const bad = JSON.stringify({ ...good, network: "KEY", checkpoint: "KEY", port: -1, other: "KEY" });
  assert.throws(() => parse(bad), ({ message }) => ["network", "checkpoint", "port", "other"].every((key) => message.includes(`${key}: `)) && !message.includes("KEY"));
  assert.throws(() => parse('{"consensus_rpc": "KEY'), ({ message }) => message === "expected JSON");
});

test("a URL that Helios or Node cannot call is refused, and not repeated", () => {
  const settings = (key, url) => JSON.stringify({ network: "mainnet", consensus_rpc: "http://beacon:5052", execution_rpc: "http://node:8545", checkpoint: `0x${"ab".repeat(32)}`, [key]: url });
  const always = ["http://user:KEY@host", "http://KEY@host/", "https://:KEY@host", "http://host/KEY#", "http://host#KEY", " http://host/KEY", "http://host/K\tEY", "http:host", "http:///host", "ws://host/KEY", "http://host:KEY", 1, undefined];
  const refused = { consensus_rpc: [...always, "http://host/?key=KEY", "http://host?"], execution_rpc: always };
  for (const [key, urls] of Object.entries(refused)) for (const url of urls) {
    assert.throws(() => parse(settings(key, url)), ({ message }) => message.startsWith(`${key}: expected an http or https URL without user, password`) && !message.includes("KEY"), `${key} ${url}`);
  }
  for (const url of ["http://host", "https://host:1/v3/KEY/", "http://[::1]:1"]) for (const key of Object.keys(refused)) assert.equal(parse(settings(key, url))[key], url);
  for (const url of ["https://host/v3?apikey=KEY", "http://host?key=KEY"]) assert.equal(parse(settings("execution_rpc", url)).execution_rpc, url);
});

test("an endpoint that hangs, drips, never ends or is not there ends in time", async () => {
  const manners = {
    "/hang": () => {},
    "/drip": (res) => void res.write(" "),
    "/endless": (res) => { const more = () => { while (res.writable && res.write(Buffer.alloc(65_536))); res.once("drain", more); }; more(); },
    "/whole": (res) => res.end("1234"),
  };
  const server = createServer((req, res) => manners[req.url](res));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  const get = bound(fetch, 200, 1_000_000);

  assert.equal((await get(`${base}/hang`)).status, 502);
  await assert.rejects((await get(`${base}/drip`)).text(), { name: "TimeoutError" });
  await assert.rejects((await get(`${base}/endless`)).text(), /over the cap/);
  const whole = await get(`${base}/whole`);
  assert.deepEqual([await whole.text(), whole.url], ["1234", `${base}/whole`]);

  server.closeAllConnections();
  server.close();
  assert.equal((await get("http://127.0.0.1:1/")).status, 502);
});
