// A deadline and a cap for every call that Helios makes. In its WASM build it has neither, and it waits for one call at a
// time: an endpoint that drips would stop it for good, one that never ends would take the machine's memory. And a call that
// fails without an answer makes it wait by a browser's timer, which Node lacks, and panic: so there always is an answer.
const DEADLINE = 20_000; // ms, to the last byte
const CAP = 32 * 1024 * 1024; // bytes; above the largest beacon block (10 MiB on the network) in hexadecimal

export const bound = (fetch, deadline = DEADLINE, cap = CAP) => async (input, init) => {
  const given = init?.signal ?? input.signal;
  const late = AbortSignal.timeout(deadline);
  const under = (url, answer) => Object.defineProperty(answer, "url", { value: url }); // which the caller parses
  let answer;
  try {
    answer = await fetch(input, { ...init, signal: given ? AbortSignal.any([given, late]) : late });
  } catch {
    return under(input.url ?? String(input), Response.json({ code: 502, message: "no answer" }, { status: 502 }));
  }
  if (!answer.body) return answer;
  let left = cap;
  const count = (chunk, out) => ((left -= chunk.length) < 0 ? out.error(new Error("an answer over the cap")) : out.enqueue(chunk));
  return under(answer.url, new Response(answer.body.pipeThrough(new TransformStream({ transform: count })), answer));
};
