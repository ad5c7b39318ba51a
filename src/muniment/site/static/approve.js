/* The page on which an officer approves. Her key is opened here and stays here; only the signed approval is sent.
   What she reads is taken from the very text that is hashed and signed: it is fetched once, and never again. */

import { approve } from "./approval.js";
import { readApprovalRequest } from "./approval_request.js";
import { Mistake } from "./bytes.js";
import { forgetKey, keepKey, keptKey } from "./kept_key.js";
import { openKey, readKeyFile } from "./officer_key.js";
import { count, facts, minute, printable, sentence } from "./request_words.js";

const part = (name) => document.getElementById(name);
const signing = part("signing");
const state = { asked: null, keyText: null };

function show(name, isShown = true) {
  part(name).hidden = !isShown;
}

function say(name, text) {
  part(name).textContent = text;
}

/** Say what is wrong beside `field`, or that nothing is. */
function complain(field, text) {
  const box = part(`${field}-field`);
  box.classList.toggle("wrong", Boolean(text));
  say(`${field}-error`, text);
  show(`${field}-error`, Boolean(text));
  if (text) part(field).focus();
}

const inWords = (error, what) => (error instanceof Mistake ? error.message : `${what}: ${error.message}`);

/** Show a mistake that no field can mend, and take the form away. */
function refuse(text) {
  say("trouble-words", text);
  show("trouble");
  show("approval-form", false);
  part("trouble").focus();
}

async function fetchRequest() {
  const answer = await fetch(signing.dataset.request, { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) throw new Mistake(await complaint(answer));
  return readApprovalRequest(await answer.text());
}

async function complaint(answer) {
  const said = await answer.json().catch(() => ({}));
  return said.error ?? `The console answered ${answer.status}. Load the page again.`;
}

function showRequest({ request }) {
  const ask = sentence(request).map(([text, isStrong]) => {
    const node = document.createElement(isStrong ? "b" : "span");
    node.textContent = text;
    return node;
  });
  part("asked").replaceChildren(...ask);
  say("entries", count(request.entries));
  say("shielded", count(request.shielded));
  say("days", request.days === 1 ? "1 day" : `${request.days} days`);
  say("reason", printable(request.reason));
  const rows = facts(request).flatMap(([term, text]) => [element("dt", term), element("dd", text)]);
  part("facts").replaceChildren(...rows);
}

function element(name, text) {
  const node = document.createElement(name);
  node.textContent = text;
  return node;
}

async function showKept() {
  state.keyText = (await keptKey()) ?? null;
  const file = state.keyText && readKeyFile(state.keyText);
  if (file) say("kept-name", file.name);
  show("kept", Boolean(file));
  show("key-file-field", !file);
  show("keep-field", !file);
}

async function chosenKey() {
  const [file] = part("key-file").files;
  if (!file && !state.keyText) throw new Mistake("Choose your key file first.");
  return file ? file.text() : state.keyText;
}

function progress(doing, done, total) {
  say("doing", doing);
  part("bar").max = Math.max(total, 1);
  part("bar").value = done;
}

/** Open the key; what is wrong with it is said at the field it belongs to. */
async function unlock() {
  let [text, file] = ["", null];
  try {
    text = await chosenKey();
    file = readKeyFile(text);
  } catch (error) {
    throw Object.assign(error, { field: "key-file" });
  }
  progress("Opening your key with the six words", 0, 1);
  try {
    const key = await openKey(file, part("words").value);
    if (part("keep").checked && text !== state.keyText) await keepKey(text);
    return key;
  } catch (error) {
    throw Object.assign(error, { field: "words" });
  }
}

async function sign() {
  const key = await unlock();
  const total = state.asked.epochs.length;
  const onProgress = (done) => progress(`Opening the shares: ${count(done)} of ${count(total)}`, done, total);
  const signed = await approve(state.asked, key, Date.now(), onProgress);
  progress("Handing in your signed approval", total, total);
  const token = signing.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(signing.dataset.answer, {
    method: "POST",
    credentials: "same-origin",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: signed,
  });
  if (!answer.ok) throw new Mistake(await complaint(answer));
  return answer.json();
}

function showSigned({ ends_ms: ends }) {
  show("signing", false);
  show("by-file", false);
  say("ends", minute(ends));
  show("signed");
  part("signed").focus();
}

async function onSubmit(event) {
  event.preventDefault();
  const button = part("approve");
  complain("key-file", "");
  complain("words", "");
  button.disabled = true;
  show("progress");
  try {
    const answer = await sign();
    part("words").value = "";
    showSigned(answer);
  } catch (error) {
    show("progress", false);
    if (error.field) complain(error.field, inWords(error, "This browser cannot open the key"));
    else refuse(inWords(error, "It could not be signed"));
  } finally {
    button.disabled = false;
  }
}

async function onForget() {
  await forgetKey();
  await showKept();
  part("key-file").focus();
}

async function start() {
  part("form").addEventListener("submit", onSubmit);
  part("forget").addEventListener("click", onForget);
  part("no-script").remove();
  show("signing");
  try {
    state.asked = await fetchRequest();
    showRequest(state.asked);
    show("request-words");
    await showKept();
    show("approval-form");
  } catch (error) {
    refuse(inWords(error, "The request cannot be shown"));
  }
}

await start();
