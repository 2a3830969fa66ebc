//! What visitors are going to do, from the options and the flag file.

use anyhow::{anyhow, bail};
use flagstaff_flags::{EventSource, EventValue, Flag, FlagId, Goal, Route, Snapshot, StatusSet, Trigger, nearest};

use flagstaff_operations::results::goals_of;
use flagstaff_operations::workspace::find;

use crate::cli::DemoTraffic;
use crate::settings::typed;

/// The control's true rate, and that of the other variants: 20,000 visitors tell them apart in at least 19 of 20 runs, by the test
/// that may be read any day, corrected for two goals.
const RATES: (f64, f64) = (0.05, 0.068);

/// A variant, and the true rates of its visitors.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) rate: f64,
    pub(super) errors: f64,
    pub(super) slow: f64,
}

/// How a visitor reaches the goal that decides.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// By a request.
    Request { method: String, path: String, statuses: StatusSet },
    /// By an event, with a value or without, that the page tells or else the app.
    Event { name: String, has_value: bool, by_page: bool },
    /// By leaving after one page.
    Leave,
}

/// Everything that is fixed before the first visitor comes.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) to: String,
    pub(super) id: FlagId,
    pub(super) flag: String,
    pub(super) page: String,
    pub(super) act: Act,
    pub(super) variants: Vec<Variant>,
    pub(super) visitors: u64,
    pub(super) bots: f64,
    pub(super) slow_by: std::time::Duration,
    pub(super) per_second: Option<u32>,
    pub(super) connections: u16,
    pub(super) seed: u64,
    /// The visitor's cookie.
    pub(super) cookie: String,
    /// The cookie that says yes to cookies.
    pub(super) consent: Option<(String, String)>,
}

impl Plan {
    /// Reads options and flags.
    ///
    /// # Errors
    /// When the flag, a variant or the address makes no sense, or the flag is no experiment.
    pub(super) fn new(
        args: &DemoTraffic,
        settings: &typed::SettingsFile,
        snapshot: &Snapshot,
    ) -> anyhow::Result<Self> {
        let id = chosen(args.flag.as_deref(), snapshot)?;
        let flag = snapshot.flag(id).ok_or_else(|| anyhow!("there is no such flag"))?;
        let goal = goals_of(snapshot, flag).next();
        let goal = goal.ok_or_else(|| anyhow!("`{}` has no goals, so there is nothing to reach", flag.name))?;
        if args.slow_by.as_secs_f64() > 10.0 {
            bail!("--slow-by is at most 10s");
        }
        let consent = settings.visitor.consent_cookie.as_deref();
        let consent = consent.map(|text| text.split_once('=').unwrap_or((text, "yes")));
        Ok(Self {
            to: authority(args.to.as_deref(), &settings.listen)?,
            id,
            flag: flag.name.to_string(),
            page: page(flag),
            act: act(goal),
            variants: variants(args, flag)?,
            visitors: args.visitors,
            bots: args.bots,
            slow_by: args.slow_by,
            per_second: args.per_second,
            connections: args.connections,
            seed: args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
            cookie: settings.visitor.cookie.clone(),
            consent: consent.map(|(name, value)| (name.trim().into(), value.trim().into())),
        })
    }

    /// The page as a whole address.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.to, self.page)
    }
}

/// The flag that is named, or the first experiment.
fn chosen(name: Option<&str>, snapshot: &Snapshot) -> anyhow::Result<FlagId> {
    let Some(name) = name else {
        let is_experiment = |id: &FlagId| snapshot.flag(*id).is_some_and(|flag| !flag.goals.is_empty());
        return snapshot.ids().find(is_experiment).ok_or_else(|| anyhow!("no flag has goals; give one `goals`"));
    };
    Ok(find(snapshot, name)?.0)
}

/// `host:port` of an address.
fn authority(to: Option<&str>, listen: &[String]) -> anyhow::Result<String> {
    let own = listen.iter().find(|address| !address.starts_with("https://"));
    let Some(text) = to.or(own.map(String::as_str)) else {
        bail!("name an address that is not encrypted with --to, such as http://127.0.0.1:8080");
    };
    let rest = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let authority: http::uri::Authority = rest
        .parse()
        .map_err(|_| anyhow!("`{text}` is not an address of the demo shop; write http://127.0.0.1:8080"))?;
    Ok(if authority.port().is_some() { authority.to_string() } else { format!("{authority}:80") })
}

/// A path that fits a pattern: what stands before its first `*`.
fn path(route: &Route) -> String {
    let text = route.path().as_str();
    let text = text.split('*').next().unwrap_or_default();
    if text.is_empty() { "/".into() } else { text.into() }
}

/// A page on which the flag is met.
fn page(flag: &Flag) -> String {
    let is_page = |route: &&Route| route.method().is_none_or(|method| method == "GET");
    flag.exposed_on.iter().find(is_page).map_or_else(|| "/".into(), path)
}

fn act(goal: &Goal) -> Act {
    match &goal.trigger {
        Trigger::Request { route, status } => Act::Request {
            method: route.method().unwrap_or("POST").into(),
            path: path(route),
            statuses: status.clone(),
        },
        Trigger::Event(said) => Act::Event {
            name: said.event.clone(),
            has_value: said.value == EventValue::Sum,
            by_page: !said.from.admits(EventSource::App),
        },
        Trigger::Bounce { .. } => Act::Leave,
    }
}

/// The variants that are drawn, the control first, with what the options say of them.
fn variants(args: &DemoTraffic, flag: &Flag) -> anyhow::Result<Vec<Variant>> {
    let names: Vec<String> = if flag.variants.are_named() {
        flag.variants.weights().map(|(id, _)| flag.variants.name(id).to_owned()).collect()
    } else {
        vec!["off".into(), "on".into()]
    };
    for (name, _) in args.rate.iter().chain(&args.errors).chain(&args.slow) {
        if !names.contains(name) {
            let near =
                nearest(name, names.iter().map(String::as_str)).map(|near| format!("; did you mean `{near}`?"));
            bail!(
                "`{}` has no variant `{name}`{}",
                flag.name,
                near.unwrap_or_else(|| format!(": it has {}", names.join(", ")))
            );
        }
    }
    let said =
        |list: &[(String, f64)], name: &str| list.iter().rev().find(|(of, _)| of == name).map(|(_, rate)| *rate);
    let variant = |(place, name): (usize, String)| {
        let usual = if place == 0 { RATES.0 } else { RATES.1 };
        Variant {
            rate: said(&args.rate, &name).unwrap_or(usual),
            errors: said(&args.errors, &name).unwrap_or(0.0),
            slow: said(&args.slow, &name).unwrap_or(0.0),
            name,
        }
    };
    Ok(names.into_iter().enumerate().map(variant).collect())
}

#[cfg(test)]
mod tests {
    use flagstaff_experiment::{AnalysisSettings, Share, compare};
    use flagstaff_stats::Proportion;

    use super::*;

    /// Corrected for the two goals of the shop's first experiment, of which the second is still open.
    #[test]
    fn the_defaults_show_a_winner_in_19_of_20_runs() {
        let wins = (0..100).filter(|seed| {
            let mut dice = fastrand::Rng::with_seed(*seed);
            let mut arms = [(0, 0); 2];
            for _ in 0..20_000 {
                let (arm, rate) = if dice.bool() { (&mut arms[1], RATES.1) } else { (&mut arms[0], RATES.0) };
                *arm = (arm.0 + 1, arm.1 + u64::from(dice.f64() < rate));
            }
            let [control, treatment] = arms.map(|(n, x)| Proportion::new(n, x).unwrap());
            let said =
                compare(&control, &treatment, Share::new(0.5).unwrap(), &AnalysisSettings::default()).comparison;
            said.always_valid.p_value.unwrap() * 2.0 < 0.05 && said.difference.unwrap() > 0.0
        });
        let wins = wins.count();
        assert!(wins >= 95, "{wins} of 100");
    }

    #[test]
    fn addresses_are_those_of_the_shop() {
        let listen = ["https://0.0.0.0:8443".to_owned(), "127.0.0.1:9000".to_owned()];
        let of = |to: Option<&str>| authority(to, &listen).ok();
        assert_eq!(of(None).as_deref(), Some("127.0.0.1:9000"));
        assert_eq!(of(Some("http://localhost:8080/")).as_deref(), Some("localhost:8080"));
        assert_eq!(of(Some("http://localhost")).as_deref(), Some("localhost:80"));
        assert_eq!((of(Some("https://a")), of(Some("http://a/b")), authority(None, &[]).ok()), (None, None, None));
    }

    #[test]
    fn pages_fit_their_patterns() {
        let path = |text: &str| path(&Route::new(text).unwrap());
        assert_eq!([path("GET /contact*"), path("/*"), path("*"), path("/a/*/b")], ["/contact", "/", "/", "/a/"]);
    }
}
