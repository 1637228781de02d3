//! What every driver must do, run over each of them.

mod account;
mod archive;
mod audit;
mod binding;
mod device;
mod egress;
mod issue;
mod job;
mod journal;
mod message;
mod person;
mod reply;
mod revision;
mod secret;
mod session;
mod smartbox;
mod unit;
mod usage;

/// Makes a test of each function for each driver.
macro_rules! over_every_driver {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() {
                super::$name(crate::support::Subject::sqlite().await).await;
            })*
        }
        mod memory {
            $(#[tokio::test] async fn $name() {
                super::$name(crate::support::Subject::memory().await).await;
            })*
        }
    };
}
use over_every_driver;
