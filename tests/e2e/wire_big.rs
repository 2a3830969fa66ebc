//! A gibibyte each way, in constant memory.

use crate::harness::app::{App, Then};
use crate::harness::program::Setup;

const SIZE: usize = 1 << 30;
/// What the program may grow by, in KiB: buffers, not bodies.
const GROWTH: u64 = 48 << 10;

#[test]
fn a_gibibyte_each_way() {
    let app = App::start(|exchange| {
        let mut count = 0;
        if !exchange.body_pieces(|piece| count += piece.len()) {
            return Then::Close;
        }
        if exchange.method == "POST" {
            return exchange.answer(200, "", count.to_string());
        }
        exchange.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..SIZE / piece.len() {
            exchange.write(&piece);
        }
        Then::Keep
    });
    let program = Setup::to(&[app.address]).start();
    assert_eq!(program.get("/small").0, 200);
    let before = program.process.memory();
    let mut most = 0;
    let mut client = program.raw();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"));
    let piece = vec![b'y'; 1 << 20];
    for n in 0..SIZE / piece.len() {
        client.send(&piece);
        if n % 64 == 0 {
            most = most.max(program.process.memory());
        }
    }
    assert_eq!(client.answer().text(), SIZE.to_string());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.answer_head();
    for n in 0..SIZE >> 20 {
        assert_eq!(client.exactly(1 << 20).len(), 1 << 20);
        if n % 64 == 0 {
            most = most.max(program.process.memory());
        }
    }
    eprintln!("{before} KiB before, {most} KiB at most");
    assert!(most < before + GROWTH, "{before} KiB before, {most} KiB at most");
}
