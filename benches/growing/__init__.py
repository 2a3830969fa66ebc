"""How the sidecar's figures grow with flags, visitors, connections, the size of its file, and exposures; and the pictures of that."""
