//! What people learn from traffic: which flags were asked for, by whom lately, and what is decided right now.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{Reader, publisher};
use flagstaff_layer::{FlagLayer, Tagger, TaggerSettings, Traffic, TrafficSettings};
use flagstaff_source::{ParseOptions, Text, parse};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

const FLAGS: &str = "[flags.form]\npercent = 50\n\n[flags.speech]\npercent = 0\nallow.languages = [\"de\"]\n\n[flags.far]\nexposed_on = [\"/far\"]\n";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

struct Site {
    layer: FlagLayer,
    traffic: Traffic,
    reader: Reader,
    _publisher: flagstaff_flags::Publisher,
}

impl Site {
    fn new(recent_visitors: usize) -> Self {
        let text = Text { name: "flags.toml", bytes: FLAGS.as_bytes() };
        let (publisher, reader) = publisher(parse(text, None, &ParseOptions::default()).unwrap().snapshot);
        let tagger = Arc::new(Tagger::new(&TaggerSettings::default()).unwrap());
        let traffic = Traffic::start(TrafficSettings { recent_visitors }).unwrap();
        let layer = FlagLayer::new(reader.clone(), tagger).followed_by(traffic.clone());
        Self { layer, traffic, reader, _publisher: publisher }
    }

    fn comes(&self, visitor: usize, agent: &str) {
        let app = service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(())) });
        let request = Request::get("/page?q=1")
            .header("accept", "text/html")
            .header("accept-language", "de-AT")
            .header("user-agent", agent)
            .header("cookie", format!("flagstaff_visitor={visitor:022}"))
            .body(String::new())
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.layer.layer(app).oneshot(request)).unwrap();
    }
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_last_visitors_are_kept_without_their_ids_and_decide_as_they_did() {
    let site = Site::new(50);
    (0..200).for_each(|visitor| site.comes(visitor, BROWSER));
    site.comes(199, BROWSER);
    eventually("all are seen", || site.traffic.asked(&site.reader.load())[0].requests() == 201);
    let is_last = |visitor: usize| site.traffic.recent().len() == 50 && visitor == 199;
    eventually("the last are kept", || is_last(199));
    let now = jiff::Timestamp::now();
    let snapshot = site.reader.load();
    let on = |kept: &flagstaff_flags::KeptSubject, flag| {
        let mut decisions = snapshot.undecided();
        decisions.decide_kept(kept, true, now);
        decisions.is_on(flag)
    };
    // which of them is which nobody can say, but as many are on as there were
    let wanted = (150..200).filter(|visitor| {
        let id = format!("{visitor:022}");
        snapshot.decide(&flagstaff_flags::Subject::at(now).visitor(&id)).is_on("form")
    });
    eventually("they decide as they did", || {
        let recent = site.traffic.recent();
        recent.iter().filter(|kept| on(kept, "form")).count() == wanted.clone().count()
    });
    let recent = site.traffic.recent();
    assert!(recent.iter().all(|kept| on(kept, "speech")), "the language is known, as a flag asks for it");
    let all = format!("{recent:?}");
    assert!(!all.contains(&format!("{:022}", 199)) && !all.contains("Firefox") && !all.contains("/page"), "{all}");
}

#[test]
fn what_is_asked_for_is_counted_and_nobody_is_kept_who_must_not_be() {
    let site = Site::new(0);
    site.comes(1, BROWSER);
    site.comes(2, "Googlebot/2.1");
    let asked = || site.traffic.asked(&site.reader.load());
    eventually("it is seen", || asked()[0].last.is_some());
    let all: Vec<_> = asked().iter().map(|one| (one.flag.clone(), one.requests(), one.last.is_some())).collect();
    assert_eq!(all, [("form".into(), 1, true), ("speech".into(), 1, true), ("far".into(), 0, false)]);
    assert!(site.traffic.recent().is_empty() && !site.traffic.keeps_visitors());
}

#[test]
fn decisions_are_told_to_those_who_listen_and_slow_ones_learn_what_they_missed() {
    let site = Site::new(0);
    site.comes(1, BROWSER);
    let mut reader = site.traffic.listen();
    site.comes(2, BROWSER);
    site.comes(3, "Googlebot/2.1");
    let mut read = Vec::new();
    eventually("both are told", || {
        read.extend(reader.read(None, None, 100).decisions);
        read.len() == 4
    });
    let told: Vec<_> = read.iter().map(|one| (one.flag.as_str(), one.step.as_str(), one.not_counted)).collect();
    let allow = |why| ("speech", "allow", why);
    assert_eq!([told[1], told[3]], [allow(None), allow(Some("bot"))], "{told:?}");
    assert_eq!((read[0].visitor.as_str(), read[0].path.as_str()), (&*format!("{:022}", 2), "/page"));
    for visitor in 0..1200 {
        site.comes(visitor, BROWSER);
        if visitor % 100 == 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    let mut far = Vec::new();
    let mut lost = 0;
    eventually("the last one is told", || {
        let read = reader.read(Some("far"), None, 100);
        lost += read.lost;
        far.extend(read.decisions);
        far.last().is_some_and(|one| one.visitor == format!("{:022}", 1199))
    });
    assert_eq!(u64::try_from(far.len()).unwrap() + lost, 1200, "what is not told is counted");
    assert!(lost > 0);
    let wanted = format!("{:022}", 7);
    site.comes(7, BROWSER);
    eventually("one visitor alone", || reader.read(None, Some(&wanted), 100).decisions.len() == 2);
    drop(reader);
    assert!(site.traffic.listen().read(None, None, 100).decisions.is_empty());
}

#[test]
fn the_last_decisions_are_kept_without_ids_where_visitors_are() {
    let site = Site::new(50);
    (0..3).for_each(|visitor| site.comes(visitor, BROWSER));
    site.comes(3, "Googlebot/2.1");
    let all = || site.traffic.listen().last(None, None, 100);
    eventually("three are kept", || all().len() == 6);
    let (first, one) = (all()[0].clone(), format!("{:022}", 1));
    assert!(first.visitor.starts_with('~') && first.flag == "form", "{first:?}");
    let of_one = site.traffic.listen().last(Some("speech"), Some(&one), 100);
    assert_eq!((of_one.len(), of_one[0].request), (1, 1), "the id leads to the pseudonym");
    let same = site.traffic.listen().last(None, Some(&of_one[0].visitor), 1);
    assert_eq!((same.len(), same[0].flag.as_str()), (1, "speech"), "the last of two");
    let mut reader = site.traffic.listen();
    site.comes(4, BROWSER);
    let wanted = format!("{:022}", 4);
    eventually("it is told with its id", || {
        reader.last(None, Some(&wanted), 100).iter().any(|one| one.visitor == wanted)
    });
    assert!(reader.position() >= Some(3) && reader.read(None, None, 100).decisions.is_empty());
    drop(reader);
    eventually("ids are forgotten", || {
        std::thread::sleep(Duration::from_secs(6));
        all().iter().all(|one| one.visitor.starts_with('~'))
    });
    let mut late = site.traffic.listen();
    late.begin_with_first();
    assert_eq!(late.read(None, None, 1).decisions.len(), 2, "those of one request stay together");
}
