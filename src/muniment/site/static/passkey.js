// Passkeys: asks the browser to make or use one, and sends what it says with the form it stands in. Nothing is kept.
// A form with data-passkey="create" or "get" carries the console's question in data-options; "sign-in" fetches it.

"use strict";

const fromText = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function readable(publicKey) {
  const known = (each) => ({ ...each, id: fromText(each.id) });
  const read = { ...publicKey, challenge: fromText(publicKey.challenge) };
  if (read.user) read.user = known(read.user);
  if (read.excludeCredentials) read.excludeCredentials = read.excludeCredentials.map(known);
  if (read.allowCredentials) read.allowCredentials = read.allowCredentials.map(known);
  return read;
}

function sendable(credential) {
  const said = credential.response;
  const response = { clientDataJSON: toText(said.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (said[name]) response[name] = toText(said[name]);
  }
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response,
  };
}

async function question(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.action, {
    headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
  });
  return (await answer.json()).request_options;
}

async function ask(form) {
  const publicKey = readable((await question(form)).publicKey);
  if (form.dataset.passkey !== "create") return navigator.credentials.get({ publicKey });
  publicKey.authenticatorSelection = {
    ...publicKey.authenticatorSelection,
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  };
  return navigator.credentials.create({ publicKey });
}

function say(form, text) {
  const place = form.querySelector("[data-said]");
  place.textContent = text;
  place.hidden = false;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!window.PublicKeyCredential) return say(form, "This browser cannot use passkeys. Use your password.");
    try {
      form.elements.credential.value = JSON.stringify(sendable(await ask(form)));
      form.submit();
    } catch {
      say(form, "No passkey was used: it was stopped, or this device has none for this console. Try again, or use your password.");
    }
  });
}
