"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const heads = { waking: "is waking up", failed: "could not start", off: "is turned off" };
  let misses = 0;
  const show = (box) => {
    document.body.dataset.mood = box.mood;
    at("headline").textContent = box.name + " " + heads[box.mood];
    at("detail").textContent =
      box.mood === "failed" ? (box.failure ? box.failure.message : "It failed without saying why.")
      : box.mood === "off" ? "Turn it on with" : box.phase;
    at("hint").textContent = box.mood === "failed" && box.failure ? box.failure.hint : "";
    at("command").textContent = box.mood === "off" ? "smartbox start " + box.name : "";
    at("retry").hidden = box.mood !== "failed";
  };
  const look = async () => {
    let next = 1000;
    try {
      const answer = await fetch("/_smartbox/state", { cache: "no-store" });
      if (answer.status === 401 || answer.status === 404) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const box = await answer.json();
      misses = 0;
      if (box.mood === "ready") return location.reload();
      show(box);
      if (box.mood !== "waking") next = 3000;
    } catch {
      misses += 1;
      next = Math.min(1000 * misses, 5000);
      if (misses > 2) at("detail").textContent = "The platform does not answer; trying again.";
    }
    setTimeout(look, next);
  };
  setTimeout(look, 500);
})();
