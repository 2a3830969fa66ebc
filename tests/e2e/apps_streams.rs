//! Connections that stay: a WebSocket, server-sent events.

use flagstaff_flags::Draw;

use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;
use crate::harness::raw::Raw;

/// Both sides of the flag, with what the app should say.
fn visitors() -> [(String, &'static str); 2] {
    let find = |below: bool| {
        let mut ids = (0..).map(|n| format!("listener-of-streams{n:03}"));
        ids.find(|id| (Draw::of("contact_form", id).bucket() < 50) == below).unwrap()
    };
    [(find(true), "on"), (find(false), "off")]
}

fn program(app: &PythonApp) -> Program {
    Setup::to(&[app.address]).flags("[flags.contact_form]\npercent = 50\n").start()
}

/// A text frame of a client, masked (RFC 6455, 5.2).
fn frame(text: &str) -> Vec<u8> {
    let mask = [7, 21, 42, 99];
    let mut bytes = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap()];
    bytes.extend(mask);
    bytes.extend(text.bytes().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    bytes
}

/// The text of the next frame of a server; short ones only.
fn text(raw: &mut Raw) -> String {
    let head = raw.exactly(2);
    assert_eq!(head[0], 0x81, "a whole text frame");
    String::from_utf8(raw.exactly(usize::from(head[1]))).unwrap()
}

#[test]
fn a_websocket_knows_its_visitor_and_echoes() {
    let app = PythonApp::start("fastapi_app.py", &[]);
    let program = program(&app);
    for (visitor, form) in visitors() {
        let mut raw = program.raw();
        raw.send(format!(
            "GET /echo HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade, X-Flag-Contact-Form\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             X-Flag-Contact-Form: forged\r\nCookie: flagstaff_visitor={visitor}\r\n\r\n",
            program.address
        ));
        let answer = raw.answer_head();
        assert_eq!(answer.status, 101, "{}", answer.head);
        assert_eq!(answer.field("sec-websocket-accept").as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(text(&mut raw), format!("form={form}"));
        for n in 0..50 {
            raw.send(frame(&format!("said {n}")));
            assert_eq!(text(&mut raw), format!("said {n}"));
        }
    }
}

#[test]
fn events_come_as_they_happen() {
    let app = PythonApp::start("fastapi_app.py", &[]);
    let program = program(&app);
    let mut streams: Vec<_> = visitors()
        .into_iter()
        .map(|(visitor, form)| {
            let mut raw = program.raw();
            raw.send(format!(
                "GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nCookie: flagstaff_visitor={visitor}\r\n\r\n"
            ));
            assert_eq!(raw.answer_head().status, 200);
            // The second event is not sent yet, so this one was kept by nobody.
            raw.until(format!("data: form={form}\n\n").as_bytes());
            raw
        })
        .collect();
    assert_eq!(Browser::new(program.address).post("/more", "").status, 200);
    for raw in &mut streams {
        raw.until(b"data: more\n\n");
    }
}
