//! Both services, as they are, run as programs: a rollout goes on by itself, and a variant that fails is rolled back. No proxy is there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flagstaff_flags::{FactKind, Name};
use flagstaff_ledger::{FactStore, Location};
use flagstaff_services::shop::Question;
use flagstaff_services::shop::search_client::SearchClient;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request};

const FLAGS: &str = "[flags.new_search]\nowner = \"team\"\nexpires = 2099-01-01\nsticky = \"none\"\n\
    [flags.new_search.rollout]\n\
    steps = [{ percent = 25, hold = \"1s\", min_visitors = 10 }, { percent = 60, hold = \"1h\" }, { percent = 100 }]\n\
    [flags.new_search.guard]\nerrors = \"5xx\"\n";

/// How long a test waits for what must come.
const WAIT_LIMIT: Duration = Duration::from_secs(60);

/// A service, running in a folder.
struct Service {
    folder: TempDir,
    address: SocketAddr,
    child: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    fn start(program: &str, flags: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flags.toml"), flags).unwrap();
        let (child, address) = start(program, &folder);
        Self { folder, address, child }
    }

    /// Ends as by Ctrl-C, and starts anew.
    fn restart(&mut self, program: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        (self.child, self.address) = start(program, &self.folder);
    }

    /// What happened to the flag so far.
    async fn facts(&self) -> Vec<FactKind> {
        let ledger = Location::file(&self.folder.path().join("flagstaff.db")).unwrap();
        let mut store = FactStore::open_to_read(&ledger).await.unwrap();
        let facts = store.facts(&Name::new("new_search").unwrap(), 1).await.unwrap();
        store.close().await;
        facts.into_iter().map(|fact| fact.kind).collect()
    }

    /// Visitor after visitor comes until this has happened to the flag.
    async fn until(&self, kind: FactKind, mut visit: impl AsyncFnMut()) {
        let start = Instant::now();
        loop {
            for _ in 0..50 {
                visit().await;
            }
            let facts = self.facts().await;
            if facts.contains(&kind) {
                return;
            }
            assert!(start.elapsed() < WAIT_LIMIT, "no {kind:?} after {facts:?}");
        }
    }
}

fn start(program: &str, folder: &TempDir) -> (Child, SocketAddr) {
    let mut command = Command::new(program);
    let mut child = command.arg("127.0.0.1:0").current_dir(folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it said {line:?}"));
    (child, address.parse().unwrap())
}

/// The status and the text for a visitor, by number, who searches for words.
fn search(address: SocketAddr, visitor: usize, words: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
    let request = format!(
        "GET /search?words={words} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nAccept: text/html\r\n\
         User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\nCookie: flagstaff_visitor=visitor-number-{visitor:07}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), text.into())
}

#[tokio::test]
async fn a_web_service_climbs_and_rolls_back_without_a_proxy() {
    let program = env!("CARGO_BIN_EXE_axum-service");
    let mut service = Service::start(program, FLAGS);
    let mut visitor = 0;
    let mut next = || {
        visitor += 1;
        visitor
    };
    service.until(FactKind::Step, async || assert_eq!(search(service.address, next(), "tea").0, 200)).await;
    let is_new = |visitor| search(service.address, visitor, "tea").1 == "The new search.\n";
    let with_it = (0..200).filter(|_| is_new(next())).count();
    assert!((90..150).contains(&with_it), "{with_it} of 200 at 60 %");

    service.until(FactKind::Tripped, async || drop(search(service.address, next(), "caf%C3%A9"))).await;
    let all_have_the_old_one = |address| (0..50).all(|n| search(address, n, "caf%C3%A9").1 == "The old search.\n");
    let start = Instant::now();
    while !all_have_the_old_one(service.address) {
        assert!(start.elapsed() < WAIT_LIMIT, "not rolled back");
    }
    service.restart(program);
    assert!(all_have_the_old_one(service.address), "what the ledger says holds");
    let facts = service.facts().await;
    assert_eq!(facts.iter().filter(|kind| **kind == FactKind::Tripped).count(), 1, "{facts:?}");
}

/// What a person, by number, who searches for words is told.
async fn find(client: &mut SearchClient<Channel>, person: usize, words: &str) -> Result<String, Code> {
    let mut request = Request::new(Question { words: words.into() });
    request.metadata_mut().insert("x-user-id", format!("person-{person}").parse().unwrap());
    client.find(request).await.map(|found| found.into_inner().by).map_err(|status| status.code())
}

#[tokio::test]
async fn a_service_of_grpc_climbs_and_rolls_back_without_a_proxy() {
    let flags = FLAGS.replace("owner =", "bucket_by = \"user\"\nowner =");
    let service = Service::start(env!("CARGO_BIN_EXE_tonic-service"), &flags);
    let endpoint = Endpoint::try_from(format!("http://{}", service.address)).unwrap();
    let mut client = SearchClient::new(endpoint.connect().await.unwrap());
    let mut person = 0;
    service
        .until(FactKind::Step, async || {
            person += 1;
            assert!(find(&mut client, person, "tea").await.is_ok());
        })
        .await;
    let before = find(&mut client, 7, "tea").await;
    assert_eq!(find(&mut client, 7, "tea").await, before, "the same person has the same search");

    // A call that fails is answered with 200 and gRPC's own status, and the guard sees it nevertheless.
    service
        .until(FactKind::Tripped, async || {
            person += 1;
            let found = find(&mut client, person, "café").await;
            assert!(matches!(found.as_deref(), Ok("old") | Err(Code::Internal)), "{found:?}");
        })
        .await;
    let start = Instant::now();
    while find(&mut client, person, "café").await.is_err() {
        assert!(start.elapsed() < WAIT_LIMIT, "not rolled back");
    }
    for person in 0..50 {
        assert_eq!(find(&mut client, person, "café").await.as_deref(), Ok("old"));
    }
}
