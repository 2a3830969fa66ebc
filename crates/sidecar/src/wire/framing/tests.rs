use proptest::prelude::*;

use super::*;

fn pass(bytes: &[u8]) -> Result<Reading, Refusal> {
    let mut framing = Framing::new(1000);
    framing.pass(bytes).map_err(|violation| violation.refusal)?;
    Ok(framing.reading())
}

fn fields(text: &str) -> Result<Reading, Refusal> {
    pass(format!("POST / HTTP/1.1\r\nHost: a\r\n{text}").as_bytes())
}

#[test]
fn requests_follow_each_other() {
    assert_eq!(fields("\r\n"), Ok(Reading::Nothing));
    assert_eq!(fields("Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"), Ok(Reading::Nothing));
    assert_eq!(fields("Content-Length: 3\r\n\r\nab"), Ok(Reading::Body));
    assert_eq!(fields("Content-Length: 0\r\n\r\nGET"), Ok(Reading::Head));
    assert_eq!(fields("Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n"), Ok(Reading::Nothing));
    assert_eq!(fields("Upgrade: websocket\r\n\r\nanything\n at all"), Ok(Reading::Open));
}

/// No protocol begins behind a body, so what follows is looked at as after any other.
#[test]
fn a_wish_to_switch_is_passed_over_where_there_is_a_body() {
    assert_eq!(fields("Upgrade: h2c\r\nContent-Length: 3\r\n\r\nab"), Ok(Reading::Body));
    assert_eq!(fields("Content-Length: 3\r\nUpgrade: h2c\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"), Ok(Reading::Nothing));
    assert_eq!(fields("Upgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), Ok(Reading::Nothing));
    assert_eq!(fields("Upgrade: h2c\r\nContent-Length: 0\r\n\r\nanything\n"), Ok(Reading::Open));
    let connect = |length| pass(format!("CONNECT a:1 HTTP/1.1\r\nContent-Length: {length}\r\n\r\n").as_bytes());
    assert_eq!((connect(3), connect(0)), (Err(Refusal::LengthBad), Ok(Reading::Open)));
}

#[test]
fn what_two_servers_could_read_differently_is_refused() {
    for (text, refusal) in [
        ("Content-Length: 3\r\nContent-Length: 3\r\n\r\n", Refusal::LengthTwice),
        ("Content-Length: 3\r\ncontent-length: 4\r\n\r\n", Refusal::LengthTwice),
        ("Content-Length: 3, 3\r\n\r\n", Refusal::LengthBad),
        ("Content-Length: +5\r\n\r\n", Refusal::LengthBad),
        ("Content-Length: 0x5\r\n\r\n", Refusal::LengthBad),
        ("Content-Length:\r\n\r\n", Refusal::LengthBad),
        ("Content-Length: 99999999999999999999\r\n\r\n", Refusal::LengthBad),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::LengthAndEncoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", Refusal::LengthAndEncoding),
        ("Transfer-Encoding: chunked, identity\r\n\r\n", Refusal::Encoding),
        ("Transfer-Encoding: gzip, chunked\r\n\r\n", Refusal::Encoding),
        ("Transfer-Encoding: xchunked\r\n\r\n", Refusal::Encoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::Encoding),
        ("A: b\r\n c\r\n\r\n", Refusal::Folded),
        ("A: b\n\r\n", Refusal::BareLineFeed),
        ("A: b\r\n\n", Refusal::BareLineFeed),
        ("Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", Refusal::ChunkSize),
        ("Transfer-Encoding: chunked\r\n\r\n-1\r\n", Refusal::ChunkSize),
        ("Transfer-Encoding: chunked\r\n\r\n\r\n", Refusal::ChunkSize),
        ("Transfer-Encoding: chunked\r\n\r\n3\nabc", Refusal::BareLineFeed),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", Refusal::ChunkEnd),
    ] {
        assert_eq!(fields(text), Err(refusal), "{text:?}");
    }
}

#[test]
fn extensions_and_trailers_have_limits() {
    let long = "x".repeat(1100);
    let chunk = format!("Transfer-Encoding: chunked\r\n\r\n3;{long}");
    assert_eq!(fields(&chunk), Err(Refusal::ChunkExtension));
    let trailers = format!("Transfer-Encoding: chunked\r\n\r\n0\r\nA: {long}");
    assert_eq!(fields(&trailers), Err(Refusal::Trailers));
}

#[test]
fn a_violation_says_how_far_all_was_well() {
    let mut framing = Framing::new(1000);
    let violation = framing.pass(b"GET / HTTP/1.1\r\nA: b\n\r\n").unwrap_err();
    assert_eq!(violation, Violation { at: 16, refusal: Refusal::BareLineFeed });
}

proptest! {
    /// However the bytes are cut into pieces, the verdict is the same.
    #[test]
    fn cutting_changes_nothing(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("Content-Length: 3\r\n"), Just("Transfer-Encoding: chunked\r\n"), Just("\r\n"), Just("abc"),
                Just("3\r\nabc\r\n"), Just("0\r\n\r\n"), Just("POST / HTTP/1.1\r\n"), Just("A: b\r\n"), Just(" c\r\n"),
                Just("A: b\n"), Just("Upgrade: x\r\n"),
                Just("GET /<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n"),
                Just("Cookie: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
            ],
            0..14,
        ),
        cuts in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        let bytes = format!("POST / HTTP/1.1\r\n{}", parts.concat()).into_bytes();
        let mut cut = Framing::new(1000);
        let (mut rest, mut verdict) = (&bytes[..], Ok(()));
        for size in cuts.iter().cycle() {
            if rest.is_empty() || verdict.is_err() { break; }
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            verdict = cut.pass(piece).map_err(|v| v.refusal);
            rest = after;
        }
        let mut at_once = Framing::new(1000);
        prop_assert_eq!(verdict, at_once.pass(&bytes).map_err(|v| v.refusal));
        prop_assert_eq!(cut.position, at_once.position);
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Framing::new(100).pass(&bytes);
    }
}

#[test]
fn a_line_longer_than_what_is_kept_of_pieces_has_one_verdict() {
    let zeros = "0".repeat(100);
    let tabs = "\t".repeat(100);
    for (text, refusal) in [
        (format!("Transfer-Encoding: chunked\r\n\r\n{zeros}5\r\n"), Refusal::ChunkSize),
        (format!("Transfer-Encoding:{tabs}chunked\r\n\r\n"), Refusal::Encoding),
    ] {
        assert_eq!(fields(&text), Err(refusal), "{text}");
        let mut framing = Framing::new(1000);
        let bytes = format!("POST / HTTP/1.1\r\nHost: a\r\n{text}");
        let verdict = bytes.as_bytes().chunks(7).find_map(|piece| framing.pass(piece).err());
        assert_eq!(verdict.map(|violation| violation.refusal), Some(refusal), "{text}");
    }
}

#[test]
fn bytes_that_belong_in_escapes_are_told() {
    let of = |target: &[u8]| {
        let request = [b"GET ", target, b" HTTP/1.1\r\nhost: a\r\n\r\n"].concat();
        Framing::new(8192).pass(&request).err().map(|violation| (violation.at, violation.refusal))
    };
    for fine in ["/", "/a?b=c", "/ü", "/a\"b", "/a{b}|c^d", "/a?b=`", "http://a/ü?", "*", "/a%22"] {
        assert_eq!(of(fine.as_bytes()), None, "{fine}");
    }
    for bad in [&b"/caf\xe9"[..], b"/a<b", b"/a>b", b"/a?b=\"", b"/a?<", b"/`", b"/\xff", b"/\x7f"] {
        assert_eq!(of(bad), Some((0, Refusal::TargetBytes)), "{}", bad.escape_ascii());
    }
}

#[test]
fn a_long_target_in_pieces_is_looked_at_whole_up_to_the_limit_of_a_head() {
    let of = |length: usize, size: usize| {
        let bytes = format!("GET /{}< HTTP/1.1\r\n", "a".repeat(length));
        let mut framing = Framing::new(1000);
        bytes.as_bytes().chunks(size).find_map(|piece| framing.pass(piece).err()).map(|violation| violation.refusal)
    };
    for size in [1, 7, 100, 10_000] {
        assert_eq!(of(500, size), Some(Refusal::TargetBytes), "in pieces of {size}");
        assert_eq!(of(1000, size), None, "in pieces of {size}: the head is too long, which hyper says");
    }
}
