// Shows that this browser has its key. It is made here once for each who signs in, kept by the browser, and
// can be read by nobody, not even by this script. What it signs goes with a form of the page.
"use strict";

const form = document.querySelector("form[data-nonce]");
const began = performance.now();

const base64 = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const utf8 = (text) => new TextEncoder().encode(text);
const part = (value) => base64(utf8(JSON.stringify(value)));

const done = (request) => new Promise((good, bad) => {
  request.onsuccess = () => good(request.result);
  request.onerror = () => bad(request.error);
});

async function keys() {
  const request = indexedDB.open("smartbox", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("keys");
  return done(request);
}

async function make(all, slot) {
  const made = await crypto.subtle.generateKey("Ed25519", false, ["sign"]);
  const work = all.transaction("keys", "readwrite", { durability: "strict" });
  const kept = new Promise((good, bad) => {
    work.oncomplete = good;
    work.onabort = () => bad(work.error);
  });
  const store = work.objectStore("keys");
  // Of two windows that make one at the same time both take the first one's.
  let key = await done(store.get(slot));
  if (!key) {
    key = made;
    store.put(key, slot);
  }
  await kept;
  return key;
}

async function proof(key) {
  const { nonce, now } = form.dataset;
  const { x } = await crypto.subtle.exportKey("jwk", key.publicKey);
  const head = { typ: "dpop+jwt", alg: "EdDSA", jwk: { kty: "OKP", crv: "Ed25519", x } };
  const claims = {
    jti: base64(crypto.getRandomValues(new Uint8Array(16))),
    htm: "POST",
    htu: form.action,
    iat: Math.floor((Number(now) + performance.now() - began) / 1000),
    nonce,
  };
  const text = `${part(head)}.${part(claims)}`;
  return `${text}.${base64(await crypto.subtle.sign("Ed25519", key.privateKey, utf8(text)))}`;
}

async function show() {
  const { slot, known } = form.dataset;
  const all = await keys();
  let key = await done(all.transaction("keys").objectStore("keys").get(slot));
  if (!key && known === "true") throw new Error("the key is gone");
  key ??= await make(all, slot);
  form.elements.proof.value = await proof(key);
  form.submit();
}

// Without a key: on where one may go without, or the page says why not.
function without() {
  const link = document.getElementById("without");
  if (link) return location.replace(link.href);
  document.querySelector("h1").textContent = "This did not work";
  document.getElementById("doing")?.remove();
  for (const part of document.querySelectorAll(".without")) part.hidden = false;
}

if (form) show().catch(without);
else document.getElementById("open")?.submit();
