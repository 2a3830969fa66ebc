-- Those that were forgotten long ago are found without reading all of them.
CREATE INDEX IF NOT EXISTS forgotten_at ON forgotten (at);
