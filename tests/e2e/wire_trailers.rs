//! Fields behind a body, where apps may read what they would not be told in a head.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

use crate::harness::app::{App, Exchange, Then};
use crate::harness::program::{Program, Setup};
use crate::harness::{h2c, run};

/// What an app must not hear behind a body: ours, the user's, the address's, credentials, framing.
const NEVER: [&str; 18] = [
    "x-flag-pay",
    "x_flag_pay",
    "x.flag.pay",
    "x-flags",
    "x-flags-signature",
    "x-visitor-id",
    "x-user-id",
    "x_user_id",
    "x-user-groups",
    "x-user-roles",
    "x-forwarded-for",
    "x_forwarded_proto",
    "x-real-ip",
    "forwarded",
    "cookie",
    "authorization",
    "cf-ipcountry",
    "content-type",
];
const FINE: [&str; 3] = ["x-custom", "x-amz-checksum-crc32", "content-md5"];

/// Answers with everything that came on the wire.
fn echo(exchange: &mut Exchange<'_>) -> Then {
    let mut came = exchange.head.clone().into_bytes();
    let head = came.len();
    while !came
        .get(head..)
        .is_some_and(|body| body.starts_with(b"0\r\n") || body.windows(5).any(|w| w == b"\r\n0\r\n"))
        || !came.ends_with(b"\r\n\r\n")
    {
        let piece = exchange.read_some();
        if piece.is_empty() {
            return Then::Close;
        }
        came.extend(piece);
    }
    exchange.answer(200, "", came)
}

fn start(app: &App) -> Program {
    let setup = Setup::to(&[app.address]).flags("[flags.pay]\nenabled = false\n");
    let setup = setup.key("user", "header = \"X-User-Id\"").key("trust", "addresses = [\"10.0.0.0/8\"]");
    setup.key("trust", "country_header = \"CF-IPCountry\"").start()
}

#[track_caller]
fn judge(came: &str) {
    assert!(!came.contains("evil"), "{came}");
    for name in FINE {
        assert!(came.to_lowercase().contains(&format!("\r\n{name}: fine\r\n")), "{name} is missing in {came}");
    }
}

#[test]
fn nothing_of_a_head_reaches_the_app_behind_a_body_over_http_1() {
    let app = App::start(echo);
    let program = start(&app);
    let all: Vec<_> = NEVER.iter().chain(&FINE).copied().collect();
    let evil: String = NEVER.iter().map(|name| format!("{name}: evil\r\n")).collect();
    let fine: String = FINE.iter().map(|name| format!("{name}: fine\r\n")).collect();
    let mut client = program.raw();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nTrailer: {}\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nok\r\n0\r\n{evil}{fine}\r\n",
        all.join(", ")
    ));
    judge(&client.answer().text());
}

#[test]
fn nothing_of_a_head_reaches_the_app_behind_a_body_over_http_2() {
    let app = App::start(echo);
    let program = start(&app);
    run(async {
        let mut client = h2c::connect(program.address).await;
        let all: Vec<_> = NEVER.iter().chain(&FINE).copied().collect();
        let request = Request::post("http://a/").header("te", "trailers").header("trailer", all.join(", "));
        let (answer, mut body) = h2c::begin(&mut client, request.body(()).unwrap(), false);
        body.send_data(Bytes::from_static(b"ok"), false).unwrap();
        let field = |name: &&'static str, value| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let evil = NEVER.iter().map(|name| field(name, "evil"));
        let trailers: HeaderMap = evil.chain(FINE.iter().map(|name| field(name, "fine"))).collect();
        body.send_trailers(trailers).unwrap();
        let (bytes, _) = h2c::collect(answer.await.unwrap().into_body()).await.unwrap();
        judge(&String::from_utf8(bytes).unwrap());
    });
}

#[test]
fn directives_in_trailers_do_not_reach_visitors() {
    let app = App::start(|exchange| {
        exchange.write(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Flag-Event, X-Flag-Exposed, X-Flag-Identify, Set-Cookie, X-Sum\r\n\r\n\
             2\r\nhi\r\n0\r\nX-Flag-Event: secret\r\nX-Flag-Exposed: a\r\nX_Flag_Identify: secret\r\nX-Flag-Identify: secret\r\n\
             Set-Cookie: secret=1\r\nX-Sum: 7\r\n\r\n",
        );
        Then::Keep
    });
    let program = start(&app);
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n");
    let all = String::from_utf8(client.rest()).unwrap().to_lowercase();
    let (head, behind) = all.split_once("\r\n\r\n").unwrap();
    assert!(!behind.contains("secret") && !behind.contains("x-flag") && behind.contains("\r\nx-sum: 7\r\n"), "{all}");
    assert!(head.contains("trailer: x-sum") && !head.contains("x-flag"), "{all}");
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (_, body, trailers) = h2c::ask(&mut client, Request::get("http://a/").body(()).unwrap()).await;
        let trailers = trailers.unwrap();
        assert_eq!(
            (body.as_slice(), trailers.keys().map(HeaderName::as_str).collect::<Vec<_>>()),
            (&b"hi"[..], vec!["x-sum"])
        );
    });
}
