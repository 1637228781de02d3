//! What every driver must do, run over each of them.

mod account;
mod audit;
mod message;
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

/// A write that brings a value back.
macro_rules! write {
    ($store:expr, |$tx:ident| $body:expr) => {
        smartbox_core::store::write(&*$store, move |$tx| Box::pin(async move { $body })).await
    };
}
use write;

/// A read that brings a value back.
macro_rules! read {
    ($store:expr, |$tx:ident| $body:expr) => {
        smartbox_core::store::read(&*$store, move |$tx| Box::pin(async move { $body })).await
    };
}
use read;
