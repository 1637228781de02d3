//! What only a file can suffer.

mod fence;
mod full;
mod guard;
mod kill;
mod rotate;
mod schema;
mod seal;
mod tamper;
