//! The server as a whole: the house's own rules, configuration, HTTP.

mod config;
