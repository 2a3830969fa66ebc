//! Who gets decisions but is not counted.

use flagstaff_tag::{CountSettings, ExcludeSettings, NotCounted, TaggerSettings, is_bot};

use crate::vocabulary::*;

#[test]
fn programs_are_known_by_their_words() {
    let bots = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41 Safari/537.36 (compatible; Baiduspider/2.0)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.2; +https://openai.com/gptbot",
        "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 11) Chrome/109 Mobile Safari/537.36 Chrome-Lighthouse",
        "curl/8.5.0",
        "Wget/1.21",
        "python-requests/2.31.0",
        "Go-http-client/2.0",
        "okhttp/4.12",
        "axios/1.6",
        "PostmanRuntime/7.36",
        "kube-probe/1.29",
        "ELB-HealthChecker/2.0",
        "GoogleHC/1.0",
        "Pingdom.com_bot_version_1.4",
        "Mozilla/5.0 (compatible; UptimeRobot/2.0)",
        "Slackbot-LinkExpanding 1.0",
        "WhatsApp/2.23",
        "Twitterbot/1.0",
        "TelegramBot (like TwitterBot)",
        "Applebot/0.1",
        "",
        "   ",
        "Mozilla/5.0 (CUBOT X) Googlebot/2.1",
        "Mozilla/5.0 (Linux; Android 7.0; M bot 60 Build/NRD90M; wv) AppleWebKit/537.36 (compatible; Googlebot/2.1)",
        "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)",
        "Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 Mobile Safari/537.36 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
        "Mozilla/5.0 (Linux; Android 9; Foobot/1.0) AppleWebKit/537.36",
        "Mozilla/5.0 (compatible; YandexMobileBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)",
        "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
        "Mozilla/5.0 (compatible; adbeat_bot)",
        "Mozilla/5.0 (compatible; DataForSeoBot/1.0)",
        "Java/1.8.0_292",
        "got (https://github.com/sindresorhus/got)",
        "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1",
        "libcurl/7.6",
        "rest-client/2.1.0 (linux x86_64) ruby/2.7.0p0",
    ];
    for agent in bots {
        assert!(is_bot(agent.as_bytes()), "{agent}");
    }
}

#[test]
fn people_are_not_programs() {
    let people = [
        BROWSER,
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 10; HUAWEI) AppleWebKit/537.36 Chrome/88 Mobile Safari/537.36 T7/13.10 baiduboxapp/13.10.0.10",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/128.0 YaBrowser/24.10 Yowser/2.5 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) AppleWebKit/605.1.15 Mobile/15E148 Instagram 330.0.0 (iPhone15,2; iOS 17_5)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) AppleWebKit/605.1.15 Mobile/15E148 [Pinterest/iOS]",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) AppleWebKit/605.1.15 Mobile/15E148 Snapchat/12.90 (like Safari/8617)",
        "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 Version/4.0 Chrome/130.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/488.0]",
        "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
        "Mozilla/5.0 (Linux; Android 8.0.0; CUBOT_P20) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 7.0; M bot 60 Build/NRD90M; wv) AppleWebKit/537.36 Version/4.0 Chrome/67.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Linux; Android 6.0.1; M BOT TAB 101 Build/MOB30R) AppleWebKit/537.36 Chrome/54.0 Safari/537.36",
        "Mozilla/5.0 (Linux; U; Android 9; de-de; Spider Monitor 5) AppleWebKit/537.36 Chrome/54.0 Safari/537.36",
        "Dalvik/2.1.0 (Linux; U; Android 9; M-bot 51 Build/PPR1)",
        "Mozilla/5.0 (Linux; Android 7.0; M bot 60 Build/N; wv) AppleWebKit/537.36 Chrome/67.0 [FB_IAB/FB4A;FBAV/320.0;FBDV/M bot 60;FBMF/CUBOT]",
        "Instagram 200.0.0 Android (24/7.0; 320dpi; 720x1184; CUBOT; CUBOT_X18; mt6737t; en_US)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 WhatsApp/2.2424.0 Chrome/91.0 Electron/13.6.9 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) AppleWebKit/605.1.15 Mobile/15E148 Safari Line/13.0.0",
        "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Chrome/130.0 musical_ly_2023 BytedanceWebview/d8a21c6",
        "Mozilla/5.0 (Linux; Android 12; M2101) AppleWebKit/537.36 Chrome/98.0 Mobile Safari/537.36 SogouMSE,SogouMobileBrowser/6.9",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 15_0) AppleWebKit/605.1.15 Mobile/15E148 DaumApps/1.0 DaumDevice/mobile",
        "Shop/3.2 (Android 13; SM-G991B) okhttp/4.12.0",
        "Shop/7 CFNetwork/1410.0.3 Darwin/22.6.0",
        "Mozilla/5.0 (Linux; Android 10; Lenovo K6) AppleWebKit/537.36 they/1.0 forgot (x) Chrome/98.0",
    ];
    for agent in people {
        assert!(!is_bot(agent.as_bytes()), "{agent}");
    }
}

#[test]
fn each_reason_is_told_and_decisions_are_made_all_the_same() {
    let exclude = ExcludeSettings {
        paths: vec!["/internal/*".into()],
        addresses: vec!["10.0.0.0/8".into(), "203.0.113.9".into()],
        user_agents: vec!["*OurKiosk*".into()],
        prefetch_headers: vec!["X-Preload".into()],
    };
    let site = Site::new(&TaggerSettings { exclude, ..with_key() }, vec![on("form")]);
    let ask = |mut browser: Browser, path: &str| {
        let visit = browser.get(&site, path);
        assert!(visit.flags.is_on("form"));
        visit.flags.counted()
    };
    let agent = |agent: &str| {
        let mut browser = Browser::new();
        browser.headers.remove("user-agent");
        browser.with("user-agent", agent)
    };
    let from = |client: &str| {
        let peer = flagstaff_tag::Peer { client: client.parse().unwrap(), ..peer(true) };
        Browser { peer: Some(peer), ..Browser::new() }
    };
    assert_eq!(ask(Browser::new(), "/"), Ok(()));
    assert_eq!(ask(agent("curl/8"), "/"), Err(NotCounted::Bot));
    assert_eq!(ask(agent("Mozilla/5.0 OURKIOSK"), "/"), Err(NotCounted::Excluded));
    assert_eq!(ask(Browser::new(), "/internal/x"), Err(NotCounted::Excluded));
    assert_eq!(ask(from("10.1.2.3"), "/"), Err(NotCounted::Excluded));
    assert_eq!(ask(from("::ffff:203.0.113.9"), "/"), Err(NotCounted::Excluded));
    assert_eq!(ask(from("11.1.2.3"), "/"), Ok(()));
    for (name, value) in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "Prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
        ("x-sec-purpose", "prefetch"),
        ("next-router-prefetch", "1"),
        ("x-middleware-prefetch", "1"),
        ("x-preload", "yes"),
    ] {
        assert_eq!(ask(Browser::new().with(name, value), "/"), Err(NotCounted::Prefetch), "{name}");
    }
    assert_eq!(ask(Browser::new().with("purpose", "other"), "/"), Ok(()));
    assert_eq!(ask(Browser::new(), "/.flagstaff/flags.json"), Err(NotCounted::Endpoint));
    assert_eq!(ask(agent(&format!("{}bot", "x".repeat(5000))), "/"), Ok(()), "far into a user agent nobody looks");
}

#[test]
fn an_exception_counts_and_what_each_pattern_left_out_is_told() {
    let count = CountSettings { user_agents: vec!["okhttp*".into()] };
    let exclude = ExcludeSettings { paths: vec!["/health*".into()], ..ExcludeSettings::default() };
    let site = Site::new(&TaggerSettings { count, exclude, ..with_key() }, Vec::new());
    let ask = |agent: &str, path: &str| {
        let mut browser = Browser::new();
        browser.headers.remove("user-agent");
        browser.with("user-agent", agent).get(&site, path).flags.counted()
    };
    assert_eq!(ask("OkHttp/4.12.0", "/"), Ok(()));
    assert_eq!(ask("curl/8", "/"), Err(NotCounted::Bot));
    assert_eq!(ask("curl/8", "/"), Err(NotCounted::Bot));
    assert_eq!(ask(BROWSER, "/health"), Err(NotCounted::Excluded));
    let told: Vec<_> =
        site.tagger.left_out().into_iter().map(|one| (one.reason, one.pattern, one.requests)).collect();
    assert_eq!(told, [(NotCounted::Bot, "^curl".into(), 2), (NotCounted::Excluded, "/health*".into(), 1)]);
}
