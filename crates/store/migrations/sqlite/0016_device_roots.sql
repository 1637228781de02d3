-- What a device was let in by, and ends with.
ALTER TABLE devices ADD COLUMN by_token TEXT REFERENCES tokens (id) ON DELETE CASCADE;
ALTER TABLE devices ADD COLUMN by_device TEXT REFERENCES devices (id) ON DELETE CASCADE;
CREATE INDEX devices_by_token ON devices (by_token) WHERE by_token IS NOT NULL;
CREATE INDEX devices_by_device ON devices (by_device) WHERE by_device IS NOT NULL;
