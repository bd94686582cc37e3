//! A disk that counts as nearly full: a region that is to keep more of it free than there is refuses what
//! grows, reads and deletes, and takes everything again when it is to keep nothing free.

use blackbox::alone::Alone;
use blackbox::command_line::meridian;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_grows_is_refused_by_name_and_everything_else_goes_on() {
    let mut region = Alone::start("128MiB").await;
    let endpoint = region.endpoint();
    let created = meridian(&endpoint, &["table", "create", "films", "--key", "title:S"]).await;
    assert_eq!(created.status, 0, "{created:?}");
    let put = ["item", "put", "films", "--plain", r#"{"title": "Solaris"}"#];
    let key = ["films", "--plain", r#"{"title": "Solaris"}"#];
    let get = [&["item", "get"], &key[..]].concat();
    assert_eq!(meridian(&endpoint, &put).await.status, 0);
    region.kill().await;
    region.restart_with(&["--disk-reserve=1000000GiB"]).await;
    for grows in [&put[..], &["table", "create", "books", "--key", "title:S"]] {
        let refused = meridian(&endpoint, grows).await;
        assert_eq!(refused.status, 1, "{refused:?}");
        assert!(refused.complained.contains("the disk of node 1 is nearly full"), "{refused:?}");
    }
    assert_eq!(meridian(&endpoint, &get).await.json()["Item"]["title"], "Solaris");
    let deleted = meridian(&endpoint, &[&["item", "delete"], &key[..]].concat()).await;
    assert_eq!(deleted.status, 0, "{deleted:?}");
    assert!(meridian(&endpoint, &get).await.json().get("Item").is_none());
    region.kill().await;
    region.restart_with(&["--disk-reserve=0"]).await;
    let again = meridian(&endpoint, &put).await;
    assert_eq!(again.status, 0, "{again:?}");
}
