-- Browsers are devices. A session from before hangs on none: whoever has one signs in once more.
ALTER TABLE sessions ADD COLUMN proved INTEGER;
DELETE FROM sessions;
