//! The reader alone, for tests of this room; the `smartbox` binary embeds the same entry.

fn main() {
    smartbox_snapshot::reader_main()
}
