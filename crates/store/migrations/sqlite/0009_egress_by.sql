-- Which program in the box asked last, as it calls itself, where that is known.
ALTER TABLE egress_uses ADD COLUMN by TEXT;
