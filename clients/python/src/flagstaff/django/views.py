"""What django-waffle's views answer: the flags of the request, for scripts in the page."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from ..settings import settings
from . import conf
from .active import flag_is_active, flags_of, sample_is_active, switch_is_active

_SCRIPT = """(function () {
  var all = %s, unknown = %s;
  function is(kind) {
    return function (name) {
      return Object.prototype.hasOwnProperty.call(all[kind], name) ? all[kind][name] : unknown[kind];
    };
  }
  window.waffle = {
    flag_is_active: is("flag"), switch_is_active: is("switch"), sample_is_active: is("sample"),
    FLAGS: all.flag, SWITCHES: all["switch"], SAMPLES: all.sample
  };
})();
"""


def shown(request: HttpRequest) -> dict[str, dict[str, bool]]:
    """The flags that are known for a request, also by the names that the app has for them. Each may be a switch or a sample."""
    flags = flags_of(request)
    names = [*flags, *(name for name, flag in settings().known_names().items() if flag in flags.as_dict())]
    return {
        "flag": {name: flag_is_active(request, name) for name in names},
        "switch": {name: switch_is_active(name) for name in names},
        "sample": {name: sample_is_active(name) for name in names},
    }


def script(request: HttpRequest) -> str:
    """A script that defines ``window.waffle``."""
    otherwise = {kind: conf.default(kind) for kind in ("flag", "switch", "sample")}
    # `<` could end a script that stands in a page.
    return (_SCRIPT % (json.dumps(shown(request)), json.dumps(otherwise))).replace("</", "<\\/")


@never_cache
def wafflejs(request: HttpRequest) -> HttpResponse:
    """The script."""
    return HttpResponse(script(request), content_type="application/javascript")


@never_cache
def waffle_json(request: HttpRequest) -> HttpResponse:
    """The flags as JSON, in the form of django-waffle."""

    def entries(kind: dict[str, bool]) -> dict[str, Any]:
        return {name: {"is_active": is_on, "last_modified": None} for name, is_on in kind.items()}

    return JsonResponse({f"{kind}s" if kind != "switch" else "switches": entries(all_) for kind, all_ in shown(request).items()})
