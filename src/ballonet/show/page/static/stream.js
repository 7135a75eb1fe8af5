// The service's stream, and whether it still comes: what is shown is marked old when it does not.

const SILENT_SECONDS = 10;  // without a look at the guests that nobody expected to take so long
const LATE_TICKS = 4;

export class Stream {
  // `after` is the id of the last event that is known; `on` is told overview(data), happened(data) and
  // age(seconds, since when the connection is lost, whether the last look is older than it should be).
  constructor(after, on) {
    this._on = on;
    this._after = after;
    this._gap = 2;  // seconds between the last two looks
    this._at = performance.now();  // of the last look, on this page's clock
    this._age = 0;  // of the last look when it came
    this._lost = null;  // since when
    this._open();
    setInterval(() => this._look(), 1000);
    // A browser has six connections to a host, so that tabs in the background must not keep theirs.
    document.addEventListener("visibilitychange", () => (document.hidden ? this._source.close() : this._open()));
  }

  _open() {
    this._source?.close();
    this._tick = null;
    this._source = new EventSource(this._after ? `/v1/stream?after=${this._after}` : "/v1/stream");
    this._source.addEventListener("open", () => { this._lost = null; this._look(); });
    this._source.addEventListener("error", () => {
      this._lost ??= Date.now();
      this._look();
      // A browser gives up when it was answered with an error: a service that starts does that.
      if (this._source.readyState === EventSource.CLOSED) setTimeout(() => document.hidden || this._open(), 2000);
    });
    this._source.addEventListener("happened", (event) => {
      this._after = event.lastEventId;
      this._on.happened(JSON.parse(event.data));
    });
    this._source.addEventListener("overview", (event) => this._overview(JSON.parse(event.data)));
  }

  _overview(overview) {
    const now = performance.now();
    if (overview.tick !== this._tick) {
      if (this._tick != null) this._gap = (now - this._at) / 1000;
      this._tick = overview.tick;
    }
    const looks = overview.status.hypervisors.map((each) => each.last_tick).filter(Boolean);
    this._age = Math.max(0, ...looks.map((each) => each.age_seconds));
    this._at = now;
    this._lost = null;
    this._on.overview(overview);
    this._look();
  }

  // Say how old what is shown is, and whether that is older than it should be.
  _look() {
    const age = this._age + (performance.now() - this._at) / 1000;
    const late = this._tick != null && age > Math.max(SILENT_SECONDS, LATE_TICKS * this._gap);
    this._on.age(age, this._lost, late);
  }
}
