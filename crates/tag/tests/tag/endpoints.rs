//! The visitor's own endpoints.

use bytes::Bytes;
use flagstaff_flags::{Flag, Gate, GateAnswer, Glob, VariantId};
use flagstaff_tag::{HeaderSettings, TaggerSettings, closed_gate, endpoint};
use http::{HeaderMap, HeaderValue, Method, Response};
use serde_json::{Value, json};

use crate::vocabulary::*;

fn site() -> Site {
    let value = json!({ "html": "</script><!-- \u{2028} & \"quoted\"" });
    let priced = Flag { client: true, values: vec![(VariantId::ON, value)], ..on("priced") };
    Site::new(
        &with_key(),
        vec![Flag { client: true, ..on("constructor") }, priced, on("secret"), Flag { client: true, ..off("old") }],
    )
}

fn ask_with(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
    let flags = Browser::new().get(&site(), path).flags;
    endpoint(&flags, method, path, headers)
}

fn get(path: &str) -> Response<Bytes> {
    ask_with(&Method::GET, path, &HeaderMap::new()).unwrap()
}

#[test]
fn json_has_value_and_variant_of_what_browsers_may_see() {
    let answer = get("/.flagstaff/flags.json");
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body["flags"]["constructor"], json!({ "value": true, "variant": "on" }));
    assert_eq!(body["flags"]["old"], json!({ "value": false, "variant": "off" }));
    assert_eq!(body["flags"]["priced"]["value"]["html"], "</script><!-- \u{2028} & \"quoted\"");
    assert_eq!(body["flags"].as_object().unwrap().len(), 3);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["cache-control"], "private, no-cache");
}

#[test]
fn script_is_safe_inside_a_page() {
    let answer = get("/.flagstaff/flags.js");
    let text = std::str::from_utf8(answer.body()).unwrap();
    assert!(text.contains("window.flagstaff") && text.contains("\"priced\""));
    assert!(!text.contains("</") && !text.contains("<!--") && !text.contains('\u{2028}'));
    assert!(!text.contains("{/*flags*/}") && !text.contains("secret"));
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["cross-origin-resource-policy"], "same-origin");
}

#[test]
fn the_same_flags_are_not_sent_twice() {
    let tag = get("/.flagstaff/flags.json").headers()["etag"].to_str().unwrap().to_owned();
    let status = |asked: &str| {
        let headers = HeaderMap::from_iter([(http::header::IF_NONE_MATCH, HeaderValue::from_str(asked).unwrap())]);
        let answer = ask_with(&Method::GET, "/.flagstaff/flags.json", &headers).unwrap();
        assert_eq!(answer.headers()["etag"], tag.as_str());
        assert_eq!(answer.body().is_empty(), answer.status() == 304);
        answer.status().as_u16()
    };
    for asked in
        [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".into(), format!("\"x\",W/{tag} ,\"y\"")]
    {
        assert_eq!(status(&asked), 304, "{asked}");
    }
    for asked in ["", "\"x\"", tag.trim_matches('"'), "W/", ","] {
        assert_eq!(status(asked), 200, "{asked}");
    }
    assert_ne!(get("/.flagstaff/flags.js").headers()["etag"], tag.as_str());
}

#[test]
fn the_prefix_is_ours_and_nothing_else_is() {
    for path in ["/.flagstaff", "/.flagstaff/", "/.flagstaff/other", "/.flagstaff/flags.json/", "/.flagstaff/../x"] {
        assert_eq!(get(path).status(), 404, "{path}");
    }
    for path in [
        "/%2eflagstaff/flags.json",
        "/.%66lagstaff/x",
        "/./.flagstaff/x",
        "//.flagstaff/x",
        "/x/../.flagstaff/x",
        "/.flagstaff%2fx",
        "/.FLAGSTAFF/flags.json",
        "/.flagstaff;a=b/x",
        "/\\.flagstaff\\x",
        "/x%5c..%5c.Flagstaff",
    ] {
        assert_eq!(get(path).status(), 404, "{path}");
    }
    for path in ["/", "/.flagstaffs", "/flagstaff/flags.json", "/a/.flagstaff/flags.json", "/.flagstaf"] {
        assert!(ask_with(&Method::GET, path, &HeaderMap::new()).is_none(), "{path}");
    }
}

#[test]
fn only_reading_is_possible() {
    let ask = |method| ask_with(&method, "/.flagstaff/flags.json", &HeaderMap::new()).unwrap();
    let refused = ask(Method::POST);
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["allow"]),
        (405, &HeaderValue::from_static("GET, HEAD"))
    );
    let head = ask(Method::HEAD);
    assert!(head.status() == 200 && head.body().is_empty() && head.headers().contains_key("etag"));
}

#[test]
fn the_answer_may_carry_the_visitors_cookie() {
    let site = site();
    let mut request = Browser::new().request("/.flagstaff/flags.json");
    let flags = site.tag(&mut request);
    let mut answer = endpoint(&flags, &Method::GET, "/.flagstaff/flags.json", request.headers()).unwrap();
    site.tagger.answer(&flags, &mut answer, now());
    assert!(answer.headers().contains_key("set-cookie"));
    assert_eq!(answer.headers()["cache-control"], "private, no-cache");
}

#[test]
fn a_gate_answers_while_its_flag_is_off() {
    let gate = |when_off| Gate { paths: vec![Glob::new("/pay/*")], when_off };
    let page = GateAnswer::Page { status: 503, body: "Paused.".into() };
    let closed = Site::new(&with_key(), vec![Flag { gate: Some(gate(page.clone())), ..off("payments") }]);
    let open = Site::new(&with_key(), vec![Flag { gate: Some(gate(page)), ..on("payments") }]);
    let ask = |site: &Site, path: &str| {
        let flags = Browser::new().get(site, path).flags;
        closed_gate(&flags, &Method::POST, path)
    };
    let answer = ask(&closed, "/pay/card").unwrap();
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, &b"Paused."[..]));
    assert_eq!(answer.headers()["cache-control"], "no-store");
    for path in ["/x/../pay/%63ard", "/pay\\card", "/pay%5Ccard", "/%5cpay/card", "/x%5c..%5cpay/card"] {
        assert!(ask(&closed, path).is_some(), "{path}");
    }
    assert!(ask(&closed, "/x%5cy").is_none());
    assert!(ask(&closed, "/payments").is_none() && ask(&open, "/pay/card").is_none());
    let away = GateAnswer::Redirect("/checkout".into());
    let redirected = Site::new(&with_key(), vec![Flag { gate: Some(gate(away)), ..off("payments") }]);
    let answer = ask(&redirected, "/pay/card").unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].as_bytes()), (303, &b"/checkout"[..]));
}

#[test]
fn waffles_views_answer_where_the_app_uses_it() {
    let waffle =
        || TaggerSettings { headers: HeaderSettings { waffle: true, ..HeaderSettings::default() }, ..with_key() };
    let named = Flag { client: true, waffle_name: Some("search-v2".into()), ..on("search") };
    let flags = || vec![named.clone(), Flag { client: true, ..off("old") }, on("secret")];
    let ask = |settings: TaggerSettings, path: &str| {
        let tagged = Browser::new().get(&Site::new(&settings, flags()), path).flags;
        endpoint(&tagged, &Method::GET, path, &HeaderMap::new()).unwrap()
    };
    let status = ask(waffle(), "/.flagstaff/waffle_status");
    let state = |active: bool| json!({ "is_active": active, "last_modified": null });
    let wanted = json!({ "flags": { "search-v2": state(true), "old": state(false) }, "switches": {}, "samples": {} });
    assert_eq!(serde_json::from_slice::<Value>(status.body()).unwrap(), wanted);
    assert!(status.headers().contains_key("etag"));
    let script = ask(waffle(), "/.flagstaff/wafflejs");
    let text = std::str::from_utf8(script.body()).unwrap();
    assert!(
        text.contains(r#"var flags = {"old":false,"search-v2":true};"#) && text.contains("window.waffle"),
        "{text}"
    );
    assert!(!text.contains("secret") && !text.contains("{/*flags*/}"));
    for path in ["/.flagstaff/waffle_status", "/.flagstaff/wafflejs"] {
        assert_eq!(ask(with_key(), path).status(), 404, "without waffle");
    }
}
