//! Whatever a receiver answers, somebody can say what became of the message.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::io::{Read, Write};
use std::net::TcpListener;

use flagstaff_flags::{Definition, Fact, FactKind, Name};
use flagstaff_webhook::{Client, Hook, HookSettings, Message, ReceiverAnswer};
use jiff::Timestamp;

fn fact() -> Fact {
    Fact {
        flag: Name::new("form").unwrap(),
        number: 1,
        at: Timestamp::UNIX_EPOCH,
        definition: Definition(1),
        kind: FactKind::Tripped,
        step: 0,
        by: "guard".into(),
        why: "errors".into(),
        evidence: None,
    }
}

/// A client for a receiver that gives these answers, one a connection, and then ends.
fn to(answers: Vec<Vec<u8>>) -> (Client, Message, std::thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let hook = Hook::new(&HookSettings { url, ..HookSettings::default() }).unwrap();
    let message = hook.message(&fact(), None).unwrap();
    let receiver = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                let mut piece = [0; 4096];
                let count = stream.read(&mut piece).unwrap();
                read.extend_from_slice(&piece[..count]);
            }
            let _ = stream.write_all(&answer);
        }
    });
    (Client::new(hook), message, receiver)
}

fn answer(text: &[u8]) -> ReceiverAnswer {
    let (client, message, receiver) = to(vec![text.to_vec()]);
    let answer = client.send(&message, Timestamp::now());
    receiver.join().unwrap();
    answer
}

#[test]
fn a_status_says_what_becomes_of_it() {
    let of = |line: &str| answer(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    for line in ["200 OK", "201 Created", "204 No Content", "299 Odd"] {
        assert!(matches!(of(line), ReceiverAnswer::Taken { .. }), "{line}");
    }
    for line in ["400 Bad Request", "401 Unauthorized", "404 Not Found", "410 Gone", "499 Odd"] {
        assert!(matches!(of(line), ReceiverAnswer::Refused { .. }), "{line}");
    }
    for line in ["301 Moved", "304 Not Modified", "408 Late", "425 Early", "429 Many", "500 No", "503 No", "599 Odd"]
    {
        assert!(matches!(of(line), ReceiverAnswer::Failed { .. }), "{line}");
    }
}

#[test]
fn a_refusal_is_told_in_one_line() {
    let said = answer(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 22\r\n\r\ninvalid\r\n\x1b[31m_payload");
    assert_eq!(said, ReceiverAnswer::Refused { why: "it answered 400 Bad Request: invalid [31m_payload".into() });
    let long = [b"HTTP/1.1 400 No\r\n\r\n".as_slice(), &[b'x'; 100_000]].concat();
    let ReceiverAnswer::Refused { why } = answer(&long) else { panic!("no refusal") };
    assert!(why.len() < 600, "{}", why.len());
}

#[test]
fn an_answer_that_is_none_is_tried_again() {
    let heads =
        [&b""[..], b"\r\n\r\n", b"HTTP/1.1", b"HTTP/1.1 200", b"HTTP/9.9 200 OK\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"];
    let endless =
        [b"HTTP/1.1 200 OK\r\n".as_slice(), &b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(3_000)].concat();
    for head in heads.into_iter().chain([endless.as_slice()]) {
        let said = answer(head);
        assert!(matches!(said, ReceiverAnswer::Failed { .. }), "{said:?}: {}", String::from_utf8_lossy(head));
    }
}

#[test]
fn nothing_a_receiver_sends_breaks_the_client() {
    const WHOLE: &[u8] = b"HTTP/1.1 503 Busy\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
        Transfer-Encoding: chunked\r\nLocation: http://elsewhere/\r\n\r\n4\r\nbusy\r\n0\r\n\r\n";
    let mut random = fastrand::Rng::with_seed(7);
    let broken = |_| {
        let mut bytes = WHOLE.to_vec();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.splice(at..at, *b"\r\n99999999999999999999")),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(b'\n');
            }
        }
        bytes
    };
    let answers: Vec<_> = (0..1_000).map(broken).collect();
    let (client, message, receiver) = to(answers.clone());
    for sent in answers {
        let said = client.send(&message, Timestamp::now());
        let text = String::from_utf8_lossy(&sent);
        assert!(!matches!(said, ReceiverAnswer::Taken { .. }) || text.contains(" 2"), "{text:?}");
    }
    receiver.join().unwrap();
}
