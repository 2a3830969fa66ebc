//! The visitors.

use std::cell::{Cell, RefCell};
use std::io::IsTerminal;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use flagstaff_flags::{BucketBy, Snapshot, Subject};
use flagstaff_sidecar::demo::{Browser, Client, EVENT, EVENT_PATH, FAULT};
use futures_util::future::try_join_all;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::time::Instant;

use super::plan::{Act, Plan};
use super::sent::Sent;
use crate::terminal::grouped;

/// How often progress is told.
const FRAME: Duration = Duration::from_millis(200);
const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
/// How long the ledger is waited for, how often it is asked, and how long it takes where it is not asked.
const LEDGER_WITHIN: Duration = Duration::from_secs(60);
const LEDGER_TURN: Duration = Duration::from_millis(50);
const LEDGER_USUALLY: Duration = Duration::from_secs(3);
/// The header of an answer that says how much the ledger has still to write.
const PENDING: &str = "flagstaff-pending";
/// Where pages tell events.
const EVENTS: &str = "/.flagstaff/events";
/// Far from each other, however near the numbers of visitors are (2⁶⁴ over the golden ratio).
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Everybody who comes, and what became of them.
pub(super) struct Crowd<'a> {
    plan: &'a Plan,
    snapshot: &'a Snapshot,
    stopping: &'a AtomicBool,
    started: Instant,
    next: Cell<u64>,
    sent: RefCell<Sent>,
    told: Cell<Option<Instant>>,
    is_live: bool,
}

/// What one visitor is going to do, whichever variant it is.
struct Dice {
    reaches: f64,
    fails: f64,
    slow: f64,
    value: f64,
    brings: f64,
    is_bot: bool,
}

impl Dice {
    fn throw(seed: u64, visitor: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed ^ visitor.wrapping_mul(SPREAD));
        Self {
            reaches: dice.f64(),
            fails: dice.f64(),
            slow: dice.f64(),
            value: f64::from(dice.u32(2_000..8_000)) / 100.0,
            brings: dice.f64(),
            is_bot: dice.bool(),
        }
    }
}

impl<'a> Crowd<'a> {
    pub(super) fn new(plan: &'a Plan, snapshot: &'a Snapshot, stopping: &'a AtomicBool) -> Self {
        Self {
            plan,
            snapshot,
            stopping,
            started: Instant::now(),
            next: Cell::new(0),
            sent: RefCell::new(Sent::new(plan)),
            told: Cell::new(None),
            is_live: std::io::stderr().is_terminal(),
        }
    }

    /// Sends everybody, and tells what was sent.
    ///
    /// # Errors
    /// When the shop is not there, or what answers is not the shop.
    pub(super) async fn comes(self) -> anyhow::Result<Sent> {
        try_join_all((0..self.plan.connections).map(|_| self.one_after_the_other())).await?;
        if self.told.get().is_some() {
            let _ = write!(std::io::stderr(), "\r{:40}\r", "");
        }
        let seconds = self.started.elapsed().as_secs_f64();
        let is_written = self.is_written().await?;
        let mut sent = self.sent.into_inner();
        sent.seconds = seconds;
        sent.is_written = is_written;
        Ok(sent)
    }

    /// Waits until the ledger has all of it, for a while. A program on another machine does not say so: there the usual time is waited.
    async fn is_written(&self) -> anyhow::Result<bool> {
        let until = Instant::now() + LEDGER_WITHIN;
        let mut client = self.connect().await?;
        while Instant::now() < until {
            let mut browser = self.browser(PERSON);
            let answer = client.ask(&mut browser, &Method::POST, EVENTS, "[]").await?;
            match answer.number(PENDING) {
                Some(0) => return Ok(true),
                Some(_) => tokio::time::sleep(LEDGER_TURN).await,
                None if answer.status.is_success() => {
                    tokio::time::sleep(LEDGER_USUALLY).await;
                    return Ok(true);
                }
                // nothing is recorded there
                None => return Ok(true),
            }
            if !client.is_open() {
                client = self.connect().await?;
            }
        }
        Ok(false)
    }

    async fn one_after_the_other(&self) -> anyhow::Result<()> {
        let mut client = self.connect().await?;
        while let Some(visitor) = self.next().await {
            if !client.is_open() {
                client = self.connect().await?;
            }
            let dice = Dice::throw(self.plan.seed, visitor);
            let visit = async {
                if dice.brings < self.plan.bots {
                    self.noise(&mut client, &dice).await?;
                }
                self.visit(&mut client, &dice).await
            };
            visit.await.with_context(|| format!("visitor {} at {}", visitor + 1, self.plan.url()))?;
        }
        Ok(())
    }

    async fn connect(&self) -> anyhow::Result<Client> {
        let client = Client::connect(&self.plan.to).await;
        client.with_context(|| format!("nobody answers at http://{}; start `flagstaff` there first", self.plan.to))
    }

    /// The number of the next visitor, when it is time; none when all came, or no more are wanted.
    async fn next(&self) -> Option<u64> {
        let visitor = self.next.get();
        if visitor >= self.plan.visitors || self.stopping.load(Ordering::Relaxed) {
            return None;
        }
        self.next.set(visitor + 1);
        if let Some(per_second) = self.plan.per_second {
            tokio::time::sleep_until(self.started + Duration::from_secs(visitor) / per_second).await;
        }
        self.tell(visitor);
        Some(visitor).filter(|_| !self.stopping.load(Ordering::Relaxed))
    }

    fn tell(&self, visitor: u64) {
        let since = self.told.get().unwrap_or(self.started + Duration::from_secs(1));
        if self.is_live && Instant::now().saturating_duration_since(since) > FRAME {
            let _ = write!(std::io::stderr(), "\r{} of {} visitors", grouped(visitor), grouped(self.plan.visitors));
            self.told.set(Some(Instant::now()));
        }
    }

    /// A visitor looks at the page, and reaches the goal or does not.
    async fn visit(&self, client: &mut Client, dice: &Dice) -> anyhow::Result<()> {
        let mut browser = self.browser(PERSON);
        self.wish(&mut browser, dice);
        let answer = client.ask(&mut browser, &Method::GET, &self.plan.page, "").await?;
        browser.headers.remove(FAULT);
        let Some(name) = answer.variant(&self.plan.flag) else {
            bail!("what answers is not the demo shop; run `flagstaff` without an upstream for this");
        };
        let variant = self.plan.variants.iter().position(|variant| variant.name == name);
        let Some(variant) = variant.filter(|_| self.takes_part(&browser)) else {
            self.sent.borrow_mut().outside += 1;
            return Ok(());
        };
        let of = self.plan.variants.get(variant).context("no such variant")?;
        let failed = dice.fails < of.errors;
        let is_fine =
            if failed { answer.status == StatusCode::INTERNAL_SERVER_ERROR } else { answer.status.is_success() };
        if !is_fine {
            bail!("the demo shop answers {}: it has no such page; take another --flag", answer.status);
        }
        let reached = !failed && dice.reaches < of.rate;
        self.act(client, &mut browser, reached, dice).await?;
        self.sent.borrow_mut().count(variant, reached, failed, dice.slow < of.slow);
        Ok(())
    }

    /// A browser that has nothing yet but what visitors must have said.
    fn browser(&self, agent: &'static str) -> Browser {
        let says = |name: HeaderName, value| (name, HeaderValue::from_static(value));
        let headers = [
            says(header::USER_AGENT, agent),
            says(header::ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
            says(header::ACCEPT_LANGUAGE, "en"),
            says(HeaderName::from_static("sec-fetch-mode"), "navigate"),
            says(HeaderName::from_static("sec-fetch-site"), "same-origin"),
        ];
        let mut browser = Browser::new(headers.into_iter().collect::<HeaderMap>());
        if let Some((name, value)) = &self.plan.consent {
            browser.set(name, value);
        }
        browser
    }

    /// Asks the shop for the faults that this visitor has, should it be of a variant that has them.
    fn wish(&self, browser: &mut Browser, dice: &Dice) {
        let (flag, delay) = (&self.plan.flag, self.plan.slow_by.as_millis());
        for variant in &self.plan.variants {
            let status = if dice.fails < variant.errors { "; status=500" } else { "" };
            let delay = if dice.slow < variant.slow { format!("; delay={delay}") } else { String::new() };
            let wish = HeaderValue::from_str(&format!("{flag}={}{status}{delay}", variant.name));
            if let Some(wish) = wish.ok().filter(|_| !status.is_empty() || !delay.is_empty()) {
                browser.headers.append(FAULT, wish);
            }
        }
    }

    /// Whether the flag file draws a variant for this visitor; those with one for another reason do not count.
    fn takes_part(&self, browser: &Browser) -> bool {
        let flag = self.snapshot.flag(self.plan.id);
        let visitor =
            browser.cookie(&self.plan.cookie).filter(|_| flag.is_some_and(|f| f.bucket_by == BucketBy::Visitor));
        visitor.is_none_or(|visitor| {
            let subject = Subject {
                method: Some("GET"),
                path: Some(&self.plan.page),
                language: Some("en"),
                ..Subject::at(jiff::Timestamp::now()).visitor(visitor)
            };
            self.snapshot.decide_one(self.plan.id, &subject).is_counted()
        })
    }

    async fn act(
        &self,
        client: &mut Client,
        browser: &mut Browser,
        reached: bool,
        dice: &Dice,
    ) -> anyhow::Result<()> {
        match &self.plan.act {
            Act::Leave if reached => {}
            Act::Leave => {
                client.ask(browser, &Method::GET, "/", "").await?;
            }
            _ if !reached => {}
            Act::Request { method, path, statuses } => {
                let answer = client.ask(browser, &method.parse()?, path, "").await?;
                if !statuses.contains(answer.status.as_u16()) {
                    bail!("{method} {path} is answered with {}, which does not reach the goal", answer.status);
                }
                if let Some(page) = answer.location() {
                    client.ask(browser, &Method::GET, page, "").await?;
                }
            }
            Act::Event { name, has_value, by_page: false } => {
                let value = if *has_value { format!("; value={}", dice.value) } else { String::new() };
                browser.headers.insert(EVENT, HeaderValue::from_str(&format!("{name}{value}"))?);
                let answer = client.ask(browser, &Method::POST, EVENT_PATH, "").await?;
                browser.headers.remove(EVENT);
                if answer.status != StatusCode::NO_CONTENT {
                    bail!("POST {EVENT_PATH} is answered with {}: is this another version's shop?", answer.status);
                }
            }
            Act::Event { name, has_value, by_page: true } => {
                let value = if *has_value { format!(",\"value\":{}", dice.value) } else { String::new() };
                let event = format!("{{\"event\":\"{name}\"{value}}}");
                let answer = client.ask(browser, &Method::POST, EVENTS, &event).await?;
                if !answer.status.is_success() {
                    bail!("POST {EVENTS} is answered with {}: are events recorded there?", answer.status);
                }
            }
        }
        Ok(())
    }

    /// A bot, or a page that is fetched ahead: both do all that reaches the goal, and count for nobody.
    async fn noise(&self, client: &mut Client, dice: &Dice) -> anyhow::Result<()> {
        let mut browser = self.browser(if dice.is_bot { BOT } else { PERSON });
        if !dice.is_bot {
            let prefetch = (HeaderName::from_static("sec-purpose"), HeaderValue::from_static("prefetch"));
            browser.headers.extend([prefetch]);
        }
        client.ask(&mut browser, &Method::GET, &self.plan.page, "").await?;
        self.act(client, &mut browser, true, dice).await?;
        self.sent.borrow_mut().brought(dice.is_bot);
        Ok(())
    }
}
