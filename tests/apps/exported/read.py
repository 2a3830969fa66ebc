"""Reads a file of flags with the evaluator of the system that it is for, and prints which variant each context gets.

    read_exported.py flagd|unleash|goff FILE < contexts (a JSON list)"""

import json
import sys

system, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = file.read()
contexts = json.load(sys.stdin)


def by_flagd():
    from openfeature.contrib.tools.flagd.core import FlagdCore
    from openfeature.evaluation_context import EvaluationContext

    core = FlagdCore()
    core.set_flags(text)
    kinds = {bool: (core.resolve_boolean_value, False), str: (core.resolve_string_value, ""), int: (core.resolve_integer_value, 0)}
    flags = {name: kinds[type(next(iter(flag["variants"].values())))] for name, flag in json.loads(text)["flags"].items()}
    for context in contexts:
        attributes = {key: value for key, value in context.items() if key != "targetingKey"}
        asked = EvaluationContext(context.get("targetingKey"), attributes)
        yield {name: ask(name, default, asked).variant for name, (ask, default) in flags.items()}


def by_unleash():
    from yggdrasil_engine.engine import UnleashEngine

    engine = UnleashEngine()
    engine.take_state(text)
    names = [feature["name"] for feature in json.loads(text)["features"]]
    for context in contexts:
        known = {"targetingKey": "sessionId", "user": "userId", "ip": "remoteAddress"}
        properties = {key: ",".join(value) if isinstance(value, list) else value for key, value in context.items() if key not in known}
        asked = {known[key]: value for key, value in context.items() if key in known} | {"properties": properties}
        decided = {}
        for name in names:
            variant = engine.check_variant(name, asked)
            found = getattr(variant, "variant", variant)
            is_on = engine.check_enabled(name, asked).is_enabled
            decided[name] = found.name if found is not None and found.enabled else "on" if is_on else "off"
        yield decided


def by_goff():
    from gofeatureflag_python_provider.wasm import EvaluateWasm, WasmFlagContext, WasmInput

    evaluator = EvaluateWasm(pool_size=1)
    evaluator.initialize()
    flags = json.loads(text)
    for context in contexts:
        decided = {}
        for name, flag in flags.items():
            answer = evaluator.evaluate(
                WasmInput(flagKey=name, flag=flag, evalContext=context, flagContext=WasmFlagContext(defaultSdkValue=None))
            )
            # without the id that is hashed, code gets its own default, as everywhere
            is_missing = answer.errorCode == "TARGETING_KEY_MISSING"
            assert is_missing or not answer.errorCode, (name, answer)
            decided[name] = "off" if is_missing else answer.variationType
        yield decided


print(json.dumps(list({"flagd": by_flagd, "unleash": by_unleash, "goff": by_goff}[system]())))
