-- Who is drawn, beside the shares: a percentage of named variants, a slice of a layer, a holdout, required flags. What earlier versions began
-- has none until a program says it.
ALTER TABLE periods ADD COLUMN draw_key BIGINT;
