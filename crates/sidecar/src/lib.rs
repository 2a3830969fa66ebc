//! The reverse proxy: pingora for the process, hyper for the wire, tower for the middleware.
