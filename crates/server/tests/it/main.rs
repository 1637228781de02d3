//! The server as a whole: the house's own rules, configuration, HTTP.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of one test binary, in which what cannot go on fails"
)]

mod accounts;
mod api;
mod attacks;
mod audit;
mod away;
mod browser_forms;
mod browsers;
mod bucket_import;
mod bulk_config;
mod compat;
mod config;
mod cuts;
mod device_pages;
mod devices;
mod document;
mod egress;
mod engine_config;
mod errors;
mod every;
mod execs;
mod fields;
mod files;
mod floods;
mod gate;
mod health;
mod house;
mod invited;
mod jobs;
mod kinds;
mod limits;
mod lists;
mod live;
mod local;
mod logs;
mod metrics;
mod once;
mod pages;
mod paths;
mod people;
#[path = "../../../sign-in/tests/peers/mod.rs"]
mod real;
mod revision;
mod rights;
mod schema;
mod secrets;
mod shut;
mod sign_in;
mod table;
mod tenancy;
mod tls;
mod tokens;
mod up;
mod vault;
mod world;
