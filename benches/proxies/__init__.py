"""Proxies that benches start with the same flags and the same app, and the load that they get."""
