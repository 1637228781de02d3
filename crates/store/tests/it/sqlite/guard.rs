use std::time::Duration;

use smartbox_core::store::StoreError;
use smartbox_store::sqlite::Settings;

use crate::support::{Home, account};
use crate::{read, write};

#[tokio::test]
async fn a_work_that_waits_for_something_else_is_rolled_back() {
    let home = Home::new();
    let settings = Settings { guard: Duration::from_millis(50), ..Settings::default() };
    let store = home.try_open(settings).await.unwrap();
    let (stuck, next) = (account("stuck"), account("next"));
    let error = write!(&store, |tx| {
        tx.accounts().add(stuck).await?;
        std::future::pending::<()>().await;
        Ok(())
    })
    .unwrap_err();
    assert!(matches!(&error, StoreError::Broken(why) if why.to_string().contains("in time")));
    let error = read!(&store, |tx| {
        tx.accounts().list().await?;
        std::future::pending::<()>().await;
        Ok(())
    })
    .unwrap_err();
    assert!(matches!(error, StoreError::Broken(_)), "{error}");
    drop(store);
    let store = home.open().await;
    write!(&store, |tx| tx.accounts().add(next).await).unwrap();
    let rows = read!(&store, |tx| tx.accounts().list().await).unwrap();
    assert_eq!(rows.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["next"]);
}
