//! Clients that are slow, by nature or on purpose: each is cut off at its limit, and the others never notice.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use crate::harness::app::{App, Then};
use crate::harness::frames::{self, DATA, Frames, GOAWAY, RST_STREAM};
use crate::harness::program::{Program, Setup};
use crate::harness::{eventually, h2c, run};

fn start(app: &App) -> Program {
    let section = |setup: Setup, line: &str| setup.key("timeouts", line);
    let setup = Setup::to(&[app.address]);
    let limits = ["head = \"600ms\"", "body = \"600ms\"", "idle = \"900ms\"", "write = \"900ms\""];
    limits.into_iter().fold(setup, section).start()
}

/// Others are served while something slow goes on.
fn meanwhile<T>(program: &Program, slow: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) {
                assert_eq!(program.get("/").0, 200, "others are not served");
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let result = slow();
        done.store(true, SeqCst);
        result
    })
}

fn app() -> App {
    App::start(|exchange| {
        if exchange.target == "/endless" {
            exchange.write("HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n");
            let piece = vec![b'x'; 64 << 10];
            while exchange.write(&piece) {}
            return Then::Close;
        }
        if exchange.body_pieces(|_| ()) { exchange.answer(200, "", "fine") } else { Then::Close }
    })
}

#[test]
fn a_slow_head() {
    let app = app();
    let program = start(&app);
    meanwhile(&program, || {
        let mut client = program.raw();
        // A byte now and then does not help: the time runs from the first one.
        for byte in format!("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: {}\r\n\r\n", "x".repeat(200)).bytes() {
            if !client.try_send([byte]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        panic!("the head was waited for");
    });
    eventually("it is counted", || program.refused("head_timeout") == 1.0);
}

#[test]
fn a_slow_body() {
    let app = app();
    let program = start(&app);
    meanwhile(&program, || {
        let mut client = program.raw();
        client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
        assert_eq!(client.answer().status, 408);
        assert!(client.is_closed());
    });
    eventually("it is counted", || program.refused("body_timeout") == 1.0);
}

#[test]
fn a_body_that_comes_steadily_may_take_long() {
    let app = app();
    let program = start(&app);
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    for _ in 0..10 {
        std::thread::sleep(Duration::from_millis(200));
        client.send("x");
    }
    assert_eq!(client.answer().status, 200);
}

#[test]
fn a_slow_reader() {
    let app = app();
    let program = start(&app);
    meanwhile(&program, || {
        let mut client = program.raw();
        client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
        eventually("it is counted", || program.refused("write_timeout") == 1.0);
        eventually("the app has only kept connections left", || app.open() <= 1);
        drop(client);
    });
}

#[test]
fn a_stream_whose_window_stays_shut() {
    let app = app();
    let program = start(&app);
    let mut client = Frames::connect(program.address);
    let mut request = frames::GET;
    request[3].1 = "/endless";
    client.headers(1, true, &request);
    // No window is ever opened again for stream 1; others on the same connection are served meanwhile.
    let reset = client.find(|f| f.stream == 1 && f.kind == RST_STREAM);
    assert!(reset.is_some());
    client.headers(3, true, &frames::GET);
    assert!(client.find(|f| f.stream == 3 && f.kind == frames::HEADERS).is_some());
    assert_eq!(program.refused("write_timeout"), 1.0);
    let _ = DATA;
}

#[test]
fn an_app_that_is_slow_is_nobody_elses_fault() {
    // Silence from the app in the middle of an answer is not taken for a client that takes nothing.
    let app = App::start(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        std::thread::sleep(Duration::from_millis(2500));
        exchange.write("done");
        Then::Keep
    });
    let program = start(&app);
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (_, body, _) = h2c::ask(&mut client, http::Request::get("http://a/").body(()).unwrap()).await;
        assert_eq!(body, b"halfdone");
    });
    assert_eq!(client.answer().text(), "halfdone");
}

#[test]
fn idle_connections() {
    let app = app();
    let program = start(&app);
    meanwhile(&program, || {
        let mut fresh = program.raw();
        let mut used = program.raw();
        used.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(used.answer().status, 200);
        let mut http2 = Frames::connect(program.address);
        assert!(fresh.is_closed() && used.is_closed());
        assert!(http2.find(|frame| frame.kind == GOAWAY).is_some_and(|frame| frame.code() == 0));
    });
    assert_eq!(program.metric("flagstaff_refused_total", ""), 0.0, "to be idle is no offence");
}

#[test]
fn a_connection_in_use_is_not_idle() {
    let app = App::start(|exchange| {
        std::thread::sleep(Duration::from_millis(2000));
        exchange.answer(200, "", "late")
    });
    let program = start(&app);
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "late");
    let _ = client.stream.flush();
}

/// A small answer is handed over whole, so nothing waits for the client: the connection ends all the same.
#[test]
fn a_window_that_is_shut_to_small_answers_keeps_no_connection() {
    let app = app();
    let program = start(&app);
    let mut client = Frames::connect(program.address);
    // SETTINGS_INITIAL_WINDOW_SIZE = 1
    client.0.send(frames::frame(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]));
    (0..20).for_each(|number| client.headers(2 * number + 1, true, &frames::GET));
    assert!(client.find(|frame| frame.kind == GOAWAY).is_some());
    assert!(client.find(|_| false).is_none(), "it ends by itself");
    eventually("its connection is gone", || program.metric("flagstaff_connections", "") <= 1.0);
}
