(function () {
  "use strict";
  var flags = {/*flags*/};
  function of(all) {
    return function (name) {
      return Object.prototype.hasOwnProperty.call(all, name) && all[name];
    };
  }
  var switches = {};
  var samples = {};
  window.waffle = {
    flag_is_active: of(flags),
    switch_is_active: of(switches),
    sample_is_active: of(samples),
    FLAGS: flags,
    SWITCHES: switches,
    SAMPLES: samples
  };
})();
