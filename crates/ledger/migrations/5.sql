-- Since when a hook is told: what happened before, but was written down later, is not news to it.
ALTER TABLE hooks ADD COLUMN began BIGINT NOT NULL DEFAULT 0;
