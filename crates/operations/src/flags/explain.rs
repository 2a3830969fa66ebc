//! Why a visitor gets a variant, step by step.
//!
//! The request that is asked about is made up, and then read as the proxy reads one, so that what is explained here is what is served.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use flagstaff_flags::{DecisionStep, Draw, HashedNumber, RecordedFacts, Snapshot, StepOutcome, StickyVariant, User};
use flagstaff_tag::{Known, Peer, Tagger, TaggerSettings};
use http::request::Parts;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::workspace::{find, variant};

/// The header in which a made-up request says its country.
const COUNTRY: &str = "x-explain-country";

/// A visitor with one request.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The visitor's id; a new one where none is given.
    pub visitor: Option<String>,
    /// The person.
    pub user: Option<User>,
    /// Variants remembered from before: flag and variant.
    pub sticky: &'a [(String, String)],
    /// Flags whose guards are supposed to have tripped.
    pub tripped: &'a [String],
    /// The request.
    pub request: Request<'a>,
    /// The time of the decision.
    pub at: Timestamp,
}

/// A request that is made up. It comes from a trusted address: who asks here may say who they are.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// Path and query, or a whole URL.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a [(String, String)],
    /// The visitor's address.
    pub address: IpAddr,
    /// The visitor's country.
    pub country: Option<&'a str>,
}

/// One visitor with one request, and the flags.
#[derive(Debug)]
pub struct Explainer {
    snapshot: Arc<Snapshot>,
    tagger: Tagger,
    request: Parts,
    known: Known,
    at: Timestamp,
}

/// Why a flag is what it is for a visitor.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// The flag.
    pub flag: String,
    /// The variant.
    pub variant: String,
    /// The reason, in one word.
    pub reason: String,
    /// The step that decided.
    #[schemars(with = "String")]
    pub step: DecisionStep,
    /// The id that is hashed, where it is known.
    pub unit: Option<String>,
    /// The bucket it falls into.
    pub bucket: Option<u32>,
    /// Its position, which the percentage is compared with.
    pub position: Option<u32>,
    /// Its position among the variants.
    pub split: Option<u32>,
    /// The formula by which it is drawn: `sha256`, or that of another system.
    #[serde(default)]
    pub formula: String,
    /// The numbers that the position and the variant are read off, for people to check. None for a draw that an earlier id made.
    #[serde(default)]
    pub numbers: Vec<ExplainedNumber>,
    /// The flag draws by an id that the request does not have.
    pub unit_missing: bool,
    /// Every step that was asked; the last one decided.
    pub trace: Vec<ExplainedStep>,
}

/// A number that says where a visitor falls.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedNumber {
    /// What it says: `position`, `variant` or `both`.
    pub says: String,
    /// The text that is hashed. Hidden characters are written out, a long text is cut.
    pub text: String,
    /// How it is hashed.
    pub function: String,
    /// The number, from 0.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl From<HashedNumber> for ExplainedNumber {
    fn from(one: HashedNumber) -> Self {
        let says = match (one.of_position, one.of_variant) {
            (true, true) => "both",
            (true, false) => "position",
            (false, _) => "variant",
        };
        Self { says: says.into(), text: one.text, function: one.function, number: one.number, of: one.of }
    }
}

/// One step that was asked.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedStep {
    /// The step.
    #[schemars(with = "String")]
    pub step: DecisionStep,
    /// Whether it decided.
    #[schemars(with = "String")]
    pub outcome: StepOutcome,
    /// What it saw.
    pub detail: String,
}

impl Explainer {
    /// One visitor, the flags with what is recorded of them, and the tagger as it is set.
    ///
    /// # Errors
    /// When the tagger's settings are wrong, a flag or a variant is not there, or the request makes no sense.
    pub fn new(
        snapshot: &Snapshot,
        facts: RecordedFacts,
        mut settings: TaggerSettings,
        query: &Query<'_>,
    ) -> Result<Self, Error> {
        let snapshot = Arc::new(supposing(snapshot, facts, query.tripped)?);
        if query.request.country.is_some() {
            settings.trust.country_header = Some(COUNTRY.into());
        }
        let tagger = Tagger::new(&settings).map_err(Error::Settings)?;
        let held = query.sticky.iter().map(|(flag, variant)| held(&snapshot, flag, variant));
        let held = held.collect::<Result<_, _>>()?;
        let known = Known { visitor: query.visitor.clone(), user: query.user.clone(), held };
        Ok(Self { snapshot, tagger, request: request(&query.request)?, known, at: query.at })
    }

    /// Why the visitor gets this variant of a flag. A flag that is not there is off.
    #[must_use]
    pub fn explain(&self, flag: &str) -> Explanation {
        let explained = self.tagger.explain(&self.snapshot, &self.request, &self.known, flag, self.at);
        let trace = explained.trace.into_iter();
        Explanation {
            flag: explained.flag,
            variant: explained.variant,
            reason: explained.decision.reason().as_str().into(),
            step: explained.decision.step(),
            unit: explained.unit,
            bucket: explained.draw.map(Draw::bucket),
            position: explained.draw.map(Draw::position),
            split: explained.draw.map(Draw::split),
            formula: explained.formula.as_str().into(),
            numbers: explained.numbers.into_iter().map(ExplainedNumber::from).collect(),
            unit_missing: explained.decision.is_unit_missing(),
            trace: trace
                .map(|one| ExplainedStep { step: one.step, outcome: one.outcome, detail: one.detail })
                .collect(),
        }
    }

    /// Every flag for the visitor: the same one for all, also where none is named.
    #[must_use]
    pub fn explain_all(mut self) -> Vec<Explanation> {
        self.known.visitor.get_or_insert_with(|| format!("{:032x}", fastrand::u128(..)));
        self.snapshot.flags().iter().map(|flag| self.explain(flag.name.as_str())).collect()
    }

    /// Checks that a flag is there.
    ///
    /// # Errors
    /// [`Error::NoFlag`] when it is not, with the name that was probably meant.
    pub fn find(&self, flag: &str) -> Result<(), Error> {
        find(&self.snapshot, flag).map(|_| ())
    }
}

/// The flags with what is recorded of them, as they would be with these guards tripped.
fn supposing(snapshot: &Snapshot, mut facts: RecordedFacts, tripped: &[String]) -> Result<Snapshot, Error> {
    for name in tripped {
        let (_, flag) = find(snapshot, name)?;
        facts.tripped.push((flag.name.clone(), flag.definition));
    }
    Ok(snapshot.with_facts(&facts))
}

fn held(snapshot: &Snapshot, name: &str, named: &str) -> Result<StickyVariant, Error> {
    let (id, flag) = find(snapshot, name)?;
    Ok(StickyVariant { flag: id, variant: variant(flag, named)?, brought: false })
}

fn request(query: &Request<'_>) -> Result<Parts, Error> {
    let uri: http::Uri =
        query.path.parse().map_err(|error| Error::Input(format!("--path {}: {error}", query.path)))?;
    let mut request = http::Request::builder().method(query.method);
    if let Some(host) = uri.authority() {
        request = request.header("host", host.as_str());
    }
    request = request.uri(uri);
    let country = query.country.map(|country| (COUNTRY, country));
    for (name, value) in query.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(country) {
        request = request.header(name, value);
    }
    let request = request.body(()).map_err(|error| Error::Input(format!("this is not a valid request: {error}")))?;
    let (mut parts, ()) = request.into_parts();
    let address = SocketAddr::new(query.address, 0);
    parts.extensions.insert(Peer { address, client: query.address, trusted: true, tls: false });
    Ok(parts)
}
