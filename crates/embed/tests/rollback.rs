//! A guard inside a service: a variant fails, its flag is rolled back, and the fact is in the ledger.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use flagstaff_embed::{Flagstaff, StartError, VisitorFlags};
use flagstaff_flags::{FactKind, Name};
use flagstaff_ledger::{FactStore, Location};
use tempfile::TempDir;
use tower::ServiceExt;

const FLAGS: &str = "[flags.checkout]\nowner = \"team\"\nexpires = 2099-01-01\npercent = 50\nsticky = \"none\"\n\
                     [flags.checkout.guard]\nerrors = \"5xx\"\nfuse = 10\n";

/// The new checkout fails.
async fn checkout(flags: VisitorFlags) -> StatusCode {
    if flags.is_on("checkout") { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

struct Service {
    folder: TempDir,
    flagstaff: Flagstaff,
    app: Router,
}

impl Service {
    fn start(folder: TempDir) -> Self {
        std::fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
        let ledger = folder.path().join("flagstaff.db").display().to_string();
        let flagstaff = Flagstaff::builder(folder.path().join("flags.toml")).ledger(ledger).start().unwrap();
        let app = Router::new().route("/checkout", get(checkout)).layer(flagstaff.layer());
        Self { folder, flagstaff, app }
    }

    /// A visitor, by number, asks for the checkout.
    async fn asks(&self, visitor: u32) -> StatusCode {
        let request = Request::get("/checkout")
            .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
            .header("cookie", format!("flagstaff_visitor=visitor-number-{visitor:07}"));
        self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    /// How many of some visitors meet an error.
    async fn errors(&self, visitors: std::ops::Range<u32>) -> usize {
        let mut errors = 0;
        for visitor in visitors {
            errors += usize::from(self.asks(visitor).await.is_server_error());
        }
        errors
    }

    /// Ends it, and reads the kinds of facts in its ledger.
    async fn end(self) -> (TempDir, Vec<FactKind>) {
        let Self { folder, flagstaff, app } = self;
        drop(app);
        assert!(flagstaff.close());
        let place = Location::file(&folder.path().join("flagstaff.db")).unwrap();
        let mut facts = FactStore::open_to_read(&place).await.unwrap();
        let kinds = facts.facts(&Name::new("checkout").unwrap(), 1).await.unwrap();
        facts.close().await;
        (folder, kinds.iter().map(|fact| fact.kind).collect())
    }
}

#[tokio::test]
async fn a_variant_that_fails_is_rolled_back_and_stays_so_after_a_restart() {
    let service = Service::start(tempfile::tempdir().unwrap());
    assert!(service.errors(0..60).await >= 10, "half of them have the flag");
    let start = Instant::now();
    while service.errors(0..60).await > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "not rolled back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (folder, kinds) = service.end().await;
    assert_eq!(kinds, [FactKind::Defined, FactKind::Tripped]);

    let again = Service::start(folder);
    assert_eq!(again.errors(0..60).await, 0, "what the ledger says holds");
    let (_folder, kinds) = again.end().await;
    assert_eq!(kinds.len(), 2, "once");
}

#[test]
fn a_file_that_is_wrong_is_refused_with_every_mistake_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flags.toml");
    std::fs::write(&path, "[flags.checkout]\npercent = 150\nexpires = 3\n").unwrap();
    let error = Flagstaff::builder(&path).start().unwrap_err();
    assert!(matches!(&error, StartError::Flags(report) if report.errors().count() == 2), "{error}");
    let nowhere = Flagstaff::builder(&path).ledger("mysql://host/db").start().unwrap_err();
    assert!(matches!(nowhere, StartError::Ledger(_)), "{nowhere}");
}
