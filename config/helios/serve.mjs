// Real Helios on loopback beside an edge.  node serve.mjs SETTINGS.json
// stdout: one line, {"url":"http://127.0.0.1:PORT","port":PORT}; events go to stderr, a JSON object a line.
// Exit codes: 0 on SIGTERM or SIGINT; 2 settings; 3 port; 1 what a supervisor answers with a new start.
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { createHeliosProvider } from "@a16z/helios";
import { bound } from "./fetch.mjs";
import { plain, serve } from "./rpc.mjs";
import { read } from "./settings.mjs";

const SYNC = 60_000; // ms; given to one checkpoint
const OUT_OF_SYNC = 600_000; // ms; Helios does not find back by itself from more than a sync-committee period, nor from a panic
const MAX_STORED_AGE = 14 * 86_400_000; // ms; Helios's own limit, of which it only warns, into a log that this package lacks

const log = (event, detail) => console.warn(JSON.stringify({ event, ...detail }));
const end = (code, event, error) => (log(event, { error }), process.exit(code));

const settings = attempt(() => read(process.argv[2]), (error) => end(2, "settings", process.argv.length < 3 ? "usage: node serve.mjs SETTINGS.json" : error.message));
globalThis.fetch = bound(globalThis.fetch);
// The panic hook of the module prints here, with a stack that holds the module itself, megabytes to a line; no error reaches Node.
console.error = (text) => (String(text).startsWith("panicked") ? end(1, "panic", plain(text)) : log("helios", { text: plain(text) }));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit(0));

let provider;
const request = async (asked) => { if (provider) return provider.request(asked); throw new Error("not in sync yet"); };
const server = await serve(request, settings.port).catch((error) => end(3, "listen", error.message));
const { port } = server.address();
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, port }));

const tried = [stored(), settings.checkpoint].filter((root, i, all) => root && all.indexOf(root) === i);
for (const checkpoint of tried) provider ??= await follow(checkpoint).catch((error) => void log("sync-failed", { checkpoint, error: plain(error) }));
if (!provider) end(1, "ended", "no checkpoint led to a head");

let seen = performance.now();
setInterval(async () => {
  const head = await provider.request({ method: "eth_blockNumber", params: [] }).catch(() => null);
  if (head) seen = performance.now();
  else if (performance.now() - seen > OUT_OF_SYNC) end(1, "ended", "out of sync for too long");
}, 12_000);

async function follow(checkpoint) {
  const { network, consensus_rpc: consensusRpc, execution_rpc: executionRpc } = settings;
  const candidate = await createHeliosProvider({ network, consensusRpc, executionRpc, checkpoint, dbType: "config" }, "ethereum");
  candidate.on("helios_checkpointUpdated", store);
  const late = new Promise((_, reject) => setTimeout(reject, SYNC, new Error("no sync within the deadline")).unref());
  await Promise.race([candidate.waitSynced(), late]).catch(async (error) => { await candidate.shutdown(); throw error; });
  log("synced", { checkpoint });
  return candidate;
}

/** The newest finalized checkpoint of an earlier run, unless it is older than what may be trusted. */
function stored() {
  const { state } = settings;
  const root = attempt(() => (Date.now() - statSync(state).mtimeMs < MAX_STORED_AGE ? readFileSync(state, "utf8").trim() : ""), () => "");
  return /^0x[0-9a-f]{64}$/.test(root) ? root : undefined;
}

function store(root) {
  const { state, checkpoint } = settings;
  if (!state || root === checkpoint) return;
  attempt(() => { writeFileSync(`${state}.new`, root); renameSync(`${state}.new`, state); }, (error) => log("not-stored", { error: plain(error) }));
}

function attempt(action, otherwise) {
  try { return action(); } catch (error) { return otherwise(error); }
}
