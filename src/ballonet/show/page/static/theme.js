// Runs before anything is drawn, so that a page that was chosen dark does not flash.
const chosen = localStorage.getItem("theme");
if (chosen) document.documentElement.dataset.theme = chosen;
