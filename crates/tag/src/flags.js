(function () {
  "use strict";
  var flags = {/*flags*/};
  function of(name) {
    return Object.prototype.hasOwnProperty.call(flags, name) ? flags[name] : undefined;
  }
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
    }
  };
})();
