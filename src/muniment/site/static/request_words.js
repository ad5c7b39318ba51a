/* A request in words, made only from the text that is signed: nothing the page around it says stands here. */

const PURPOSES = {
  INFO: "to answer a request for information",
  SAR: "to answer a subject access request",
  APPEAL: "to answer an appeal",
  COMPLAINT: "to answer a complaint",
  LEGAL: "to answer a legal challenge",
  OPS: "to keep the systems working",
  SEC: "for security, or a whole view of the business records",
  USE: "to look into use that the policy does not allow",
  ABSENCE: "for business that cannot wait while somebody is away",
  CASE: "to look into alleged misconduct, breach of contract, crime or fraud",
  OTHER: "for another lawful reason, written down",
  ORDER: "to follow the order of a court or regulator",
};
const STREAMS = {
  "mail-gateway": "mail that passed the gateway",
  "mail-journal": "mail from the journal",
  "mail-import": "imported mail",
  "mail-refused": "mail that was refused",
};
const DEPTHS = {
  envelope: "Who wrote to whom, when and how large; no words",
  content: "Envelope, then words, each step with a reason",
};
const LONDON = { timeZone: "Europe/London" };
const WHOLE_DAY = { ...LONDON, day: "numeric", month: "long", year: "numeric" };
const DAY = new Intl.DateTimeFormat("en-GB", WHOLE_DAY);
const MINUTE = new Intl.DateTimeFormat("en-GB", { ...WHOLE_DAY, hour: "numeric", minute: "2-digit", hour12: true });

export const count = (value) => value.toLocaleString("en-GB");
export const day = (ms) => DAY.format(ms);
export const minute = (ms) => MINUTE.format(ms).replace(/(\d):(\d)/, "$1.$2");

const NOT_SHOWN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Return a text without what could turn the writing round or hide in it; its lines stay, parted by a stroke. */
export function printable(text) {
  const lines = String(text).split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  return lines.join(" / ").replace(NOT_SHOWN, "?");
}

/** Return names as people list them. */
function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** Return [text, is emphasised] of the request as one sentence. */
export function sentence(request) {
  return phrases(request).map(([text, isStrong]) => [text.replace(NOT_SHOWN, "?"), isStrong]);
}

const days = (request) => `${day(request.from_ms)} to ${day(request.until_ms - 1)}`;

function phrases(request) {
  const purpose = PURPOSES[request.purpose] ?? `for the purpose ${request.purpose}`;
  if (request.kind === "exemption") {
    const [who, sites] = [request.requester.name, listed(request.sites)];
    const what = [["To let ", false], [who, true], [" visit ", false], [sites, true], [", ", false]];
    return [...what, [days(request), true], [`, ${purpose}.`, false]];
  }
  const what = request.kind === "shielded" ? "what is marked private in the mail of " : "the mail of ";
  return [
    [`To let ${request.requester.name} read `, false],
    [`${request.depth === "envelope" ? "the envelopes of " : ""}${what}${whose(request)}`, true],
    [", captured ", false],
    [days(request), true],
    [`, ${purpose}.`, false],
  ];
}

/** Return everybody looked at by name, and every address that belongs to none of them. */
function whose(request) {
  const named = new Map(request.subjects.map((each) => [each.id, each.name]));
  const others = request.windows.filter((each) => !named.has(each.person)).map((each) => each.address);
  return listed([...named.values(), ...new Set(others)]) || "nobody";
}

const role = (name) => name.replaceAll("_", " ").replace(/^(hr|it)\b/, (letters) => letters.toUpperCase());

/** Return [term, text] of everything else an officer signs. */
export function facts(request) {
  const windows = request.windows.map((each) => each.address);
  const rows = [
    ["Who asks", `${request.requester.name}, ${role(request.requester.role)}`],
    ["Who else may read", request.readers.length ? `${count(request.readers.length)} more` : "Nobody"],
    ["Addresses", request.kind === "exemption" ? "" : listed([...new Set(windows)])],
    ["Recorded by", listed(request.streams.map((each) => STREAMS[each] ?? each))],
    ["How deep", DEPTHS[request.depth] ?? request.depth],
    ["Clause", request.clause.replace(/^R-(\d+\.\w+).*$/, "$1 ($&)")],
    ["Case", request.case],
    ["Tried first", request.alternative],
    ["Advice", request.advice],
    ["Renews or completes", request.parent],
    ["Request", `${request.number}, revision ${request.revision}, of ${minute(request.drafted_ms)}`],
  ];
  return rows.map(([term, text]) => [term, printable(text)]).filter(([, text]) => text);
}
