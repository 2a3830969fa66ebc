(function () {
  "use strict";
  var flags = {/*flags*/};
  function of(name) {
    return Object.prototype.hasOwnProperty.call(flags, name) ? flags[name] : undefined;
  }
  var events = "/.flagstaff/events";
  window.flagstaff = {
    flags: flags,
    is_on: function (name) {
      var flag = of(name);
      return flag !== undefined && flag.variant !== "off";
    },
    variant: function (name) {
      var flag = of(name);
      return flag === undefined ? "off" : flag.variant;
    },
    value: function (name) {
      var flag = of(name);
      return flag === undefined ? undefined : flag.value;
    },
    track: function (name, options) {
      var said = options || {};
      var text = JSON.stringify({ event: name, value: said.value, key: said.key });
      if (navigator.sendBeacon && navigator.sendBeacon(events, text)) {
        return;
      }
      fetch(events, { method: "POST", body: text, keepalive: true, credentials: "same-origin" });
    }
  };
})();
