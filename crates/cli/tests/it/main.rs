//! The built command against a platform that these tests play: what it prints, what it sends, how it
//! ends. What is absent: the real platform, which has tests of its own.

mod account;
mod act;
#[cfg(test)]
mod bind;
#[cfg(test)]
mod chat;
#[cfg(test)]
mod config;
#[cfg(test)]
mod context;
#[cfg(test)]
mod devices;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod egress;
#[cfg(test)]
mod exec;
#[cfg(test)]
mod execs;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod files;
#[cfg(test)]
mod jobs;
mod list;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod office;
#[cfg(test)]
mod people;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod run;
#[cfg(test)]
mod secret;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod up;
#[cfg(test)]
mod vault;
#[cfg(test)]
mod watch;
