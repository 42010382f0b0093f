// JSON-RPC 2.0 over HTTP on loopback: POST, one call a request.
import { createServer } from "node:http";

// What an edge asks, and what Helios answers in the shapes of the Ethereum JSON-RPC. Nothing that sends or keeps a filter.
const METHODS = new Set(["eth_chainId", "eth_blockNumber", "eth_getBlockByNumber", "eth_getBlockByHash", "eth_getProof", "eth_getStorageAt", "web3_clientVersion"]);
const MAX_BODY = 64 * 1024; // an endless body
const MAX_CONNECTIONS = 64; // more connections than this process has memory for
const DEADLINE = 20_000; // ms; an execution RPC that never answers

/** Serves `request({ method, params })` on 127.0.0.1; resolves to the server once it listens. */
export async function serve(request, port, deadline = DEADLINE) {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (req, res) => answer(request, deadline, req, res).catch(() => res.destroy()));
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return server;
}

async function answer(request, deadline, req, res) {
  // A browser on this machine sends no JSON to another origin without asking first, and it would be told no.
  const refused = req.method !== "POST" ? 405 : /^application\/json\b/i.test(req.headers["content-type"] ?? "") ? 0 : 415;
  const body = refused ? null : await capped(req);
  if (body === null) return res.writeHead(refused || 413, { connection: "close" }).end();
  const reply = JSON.stringify({ jsonrpc: "2.0", ...(await call(request, deadline, body)) }, (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value));
  res.writeHead(200, { "content-type": "application/json" }).end(reply);
}

async function capped(req) {
  const chunks = [];
  let size = 0;
  for await (const chunk of req) if ((size += chunk.length) <= MAX_BODY) chunks.push(chunk); else return null;
  return Buffer.concat(chunks).toString();
}

async function call(request, deadline, body) {
  let asked;
  try { asked = JSON.parse(body); } catch { return fault(null, -32700, "not JSON"); }
  const { id = null, method, params = [] } = Array.isArray(asked) ? {} : asked ?? {};
  if (typeof method !== "string" || !Array.isArray(params) || !(id === null || ["string", "number"].includes(typeof id))) return fault(null, -32600, "not a single call with positional parameters");
  if (!METHODS.has(method)) return fault(id, -32601, "not a method of this endpoint");
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(reject, deadline, new Error("no answer within the deadline")); });
  try {
    return { id, result: (await Promise.race([request({ method, params }), late])) ?? null };
  } catch (error) {
    return fault(id, -32000, plain(error));
  } finally {
    clearTimeout(timer);
  }
}

const fault = (id, code, message) => ({ id, error: { code, message } });

/** An error's first line, without addresses: a URL may carry a key. */
export const plain = (error) => String(error?.message ?? error).split("\n")[0].replace(/^(Error: )+/, "").replace(/https?:\/\/\S+/g, "<url>").slice(0, 200);
