// What the link holds goes into the form, and out of the address and the history. A person sends it.
"use strict";
const field = document.getElementById("token");
const value = location.hash.slice(1);
if (field && value) {
  field.value = value;
  field.hidden = true;
  document.querySelector("label[for=token]").hidden = true;
  history.replaceState(null, "", location.pathname);
}
