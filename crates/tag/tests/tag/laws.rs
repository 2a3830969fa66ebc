//! What holds for any request.

use flagstaff_flags::{Flag, Sticky};
use flagstaff_tag::{HeaderSettings, JwtSettings, Known, TaggerSettings, UserSettings, is_ours};
use http::header::{HeaderName, HeaderValue};
use http::{Request, Uri};
use proptest::prelude::*;

use crate::vocabulary::*;

fn site() -> Site {
    let jwt = JwtSettings {
        keys: vec!["a secret of thirty-two bytes or more".into()],
        cookie: Some("id".into()),
        ..JwtSettings::default()
    };
    let settings = TaggerSettings {
        headers: HeaderSettings { waffle: true, sign: true, ..HeaderSettings::default() },
        user: UserSettings {
            header: Some("x-user-id".into()),
            jwt: Some(jwt),
            identify: Some(true),
            ..UserSettings::default()
        },
        ..with_key()
    };
    let flags = vec![half("form"), Flag { sticky: Some(Sticky::Session), testing: true, ..three("price") }];
    Site::new(&settings, flags)
}

/// Headers that mean something here, with any bytes a header may have.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = prop_oneof![
        "(cookie|user-agent|authorization|accept-language|host|purpose|x-user-id|x-user-groups|x-flag-override|x-flags|x-flag-[a-z_]{1,5}|x_flag_form|x-visitor_id)",
        "[a-z_-]{1,12}",
    ];
    let ours = "(flagstaff_(visitor|user|sticky|session|override)=[ -~]{0,40}; ?|dwf_[a-z]{1,4}=True; )*";
    let value = prop_oneof![prop::collection::vec(any::<u8>(), 0..60), ours.prop_map(String::into_bytes)];
    prop::collection::vec((name, value), 0..12)
}

fn request(headers: &[(String, Vec<u8>)], target: &str, trusted: bool) -> Request<()> {
    let mut request = Request::new(());
    *request.uri_mut() = target.parse().unwrap_or(Uri::from_static("/"));
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) else {
            continue;
        };
        request.headers_mut().append(name, value);
    }
    request.extensions_mut().insert(peer(trusted));
    request
}

proptest! {
    #[test]
    fn any_request_is_tagged_with_what_we_decided_alone(headers in headers(), target in "/[a-z]{0,3}(\\?(flagstaff\\.(form|price|sig|until)=[a-z0-9%&]{0,8}&?){0,4})?", trusted: bool) {
        let site = site();
        let mut request = request(&headers, &target, trusted);
        let flags = site.tag(&mut request);
        for name in request.headers().keys().filter(|name| is_ours(name.as_str())) {
            let own = ["x-flags", "x-visitor-id", "x-flags-signature", "x-flag-form", "x-flag-price"];
            prop_assert!(own.contains(&name.as_str()), "{name}");
            prop_assert_eq!(request.headers().get_all(name).iter().count(), 1);
        }
        prop_assert_eq!(&request.headers()["x-visitor-id"], flags.visitor());
        let cookies: Vec<_> = request.headers().get_all("cookie").iter().collect();
        prop_assert_eq!(cookies.len(), 1);
        let text = String::from_utf8_lossy(cookies[0].as_bytes()).into_owned();
        // those of other flags are waffle's own
        let ours = |pair: &&str| ["dwf_form", "dwf_price", "dwft_form", "dwft_price"].contains(&pair.split('=').next().unwrap_or_default().trim());
        let waffle: Vec<_> = text.split(';').map(str::trim).filter(ours).collect();
        prop_assert_eq!(waffle.len(), 2);
        prop_assert!(waffle[0].starts_with("dwf_form=") && waffle[1].starts_with("dwf_price="), "{}", text);
        let ours = ["flagstaff_user", "flagstaff_sticky", "flagstaff_session", "flagstaff_override"];
        prop_assert!(!text.split(';').any(|pair| ours.contains(&pair.split('=').next().unwrap_or_default().trim())), "{}", text);
    }

    #[test]
    fn tagging_again_changes_nothing(headers in headers(), trusted: bool) {
        let site = site();
        let mut request = request(&headers, "/", trusted);
        site.tag(&mut request);
        let once = request.headers().clone();
        site.tag(&mut request);
        prop_assert_eq!(&once, request.headers());
    }

    #[test]
    fn any_answer_is_read(values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 5)) {
        let site = site();
        let mut browser = Browser::new();
        let flags = browser.get(&site, "/").flags;
        let mut answer = http::Response::new(());
        for (name, value) in ["x-flag-identify", "x-flag-event", "x-flag-exposed", "cache-control", "vary"].iter().zip(&values) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                answer.headers_mut().append(*name, value);
            }
        }
        site.tagger.answer(&flags, &mut answer, now());
        prop_assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("x-flag")));
    }
}

#[test]
fn a_known_visitor_tagged_anew_gets_the_same() {
    let site = site();
    let mut browser = Browser::new();
    let first = browser.get(&site, "/");
    for _ in 0..3 {
        let mut request = Request::new(());
        *request.headers_mut() = first.got.clone();
        request.headers_mut().append(
            "cookie",
            HeaderValue::from_str(&format!("flagstaff_visitor={}", first.flags.visitor())).unwrap(),
        );
        let again = site.tag(&mut request);
        assert_eq!((again.visitor(), again.variant("form")), (first.flags.visitor(), first.flags.variant("form")));
        assert_eq!(request.headers()["x-flags"], first.got["x-flags"]);
    }
}

#[test]
fn explaining_is_deciding() {
    let site = site();
    for i in 0..50 {
        let browser = Browser::trusted()
            .holding("flagstaff_visitor", &format!("{i:a>22}"))
            .with("x-flag-override", "price=simple");
        let mut request = browser.request("/");
        let (parts, ()) = browser.request("/").into_parts();
        let flags = site.tag(&mut request);
        for name in ["form", "price", "unknown"] {
            let told = site.tagger.explain(site.compiled.snapshot(), &parts, &Known::default(), name, now());
            assert_eq!((told.variant.as_str(), told.decision), (flags.variant(name), flags.decisions().get(name)));
        }
    }
    let (parts, ()) = Browser::new().request("/").into_parts();
    let known = Known { visitor: Some("any form of id".into()), ..Known::default() };
    let told = site.tagger.explain(site.compiled.snapshot(), &parts, &known, "form", now());
    assert_eq!(told.unit.as_deref(), Some("any form of id"));
}

proptest! {
    #[test]
    fn readers_take_any_text(text in "\\PC{0,80}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,20}", 0..5)) {
        let site = site();
        let settings = JwtSettings { keys: vec!["a secret of thirty-two bytes or more".into()], ..JwtSettings::default() };
        prop_assert!(flagstaff_tag::parse::jwt(&settings, &text, now()).is_none());
        prop_assert!(flagstaff_tag::parse::jwt(&settings, &parts.join("."), now()).is_none());
        prop_assert_eq!(flagstaff_tag::parse::query(&site.tagger, &format!("flagstaff.a={text}"), now()) > 0, true);
    }
}
