/** Codes with which Node.js says that a host was not reached. */
const unreachableCodes =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH)\b/;

/**
 * Finds in what npm printed why it failed: it wraps the output of install scripts, and its last lines only say where
 * the log is.
 * @returns the host that could not be reached, where that is the reason, and the most telling line, if any
 */
export function reasonOfFailure(lines: readonly string[]): { reason?: string; unreachable?: string } {
  const texts = lines.map((line) => line.replace(/^npm (error|ERR!)\s*/i, '').trim());
  const network = texts.find((text) => unreachableCodes.test(text));
  if (network !== undefined) {
    const host =
      /https?:\/\/([^/\s]+)/.exec(network)?.[1] ?? /\b(?:ENOTFOUND|EAI_AGAIN)\s+(\S+)/.exec(network)?.[1];
    const named = host ?? texts.map((text) => /^hostname: '([^']+)'/.exec(text)?.[1]).find(Boolean);
    // "code ENOTFOUND" comes first and names nobody; what follows it does.
    const later = texts.map((text) => /https?:\/\/([^/\s]+)/.exec(text)?.[1]).find(Boolean);
    return { reason: network, unreachable: named ?? later };
  }
  const isNoise = (text: string) =>
    text === '' || /^(code|path|command|errno|syscall|A complete log)\b|^at /i.test(text);
  const reason = texts.find((text) => /\berror:/i.test(text)) ?? texts.find((text) => !isNoise(text));
  return { reason };
}
