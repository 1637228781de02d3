"use strict";
history.replaceState(null, "", "/_smartbox/enter");
document.forms[0].submit();
