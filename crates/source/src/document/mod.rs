//! The flag file as it is typed. Every key is a field here, and from here come reading, the schema and its descriptions.

mod conditions;
mod conditions_schema;
mod hash_table;
mod readers;
mod scalars;
mod tables;
mod value_tests;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub(crate) use conditions::When;
pub(crate) use hash_table::HashTable;
pub(crate) use scalars::{
    Address, Chance, Codes, Day, FewSigns, Fuse, Length, Meaning, Named, Paths, PointInTime, Requests, Share, Slower,
    Stay, Target, Unit,
};
pub(crate) use tables::{Bounds, Needs, Weights};

/// A table whose written order counts.
pub(crate) type Table<T> = IndexMap<String, T>;

/// Flags, and the goals, segments and layers they name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Flagstaff flags")]
pub(crate) struct Document {
    /// The flags, each a table `[flags.NAME]`. A name is snake_case, at most 64 bytes.
    #[schemars(extend("propertyNames" = scalars::name_schema()))]
    pub(crate) flags: Table<FlagTable>,
    /// Goals that can be counted, each a table `[goals.NAME]`.
    #[schemars(extend("propertyNames" = scalars::name_schema()))]
    pub(crate) goals: Table<GoalTable>,
    /// Groups of people with a name, each a table `[segments.NAME]`.
    #[schemars(extend("propertyNames" = scalars::name_schema()))]
    pub(crate) segments: Table<SegmentTable>,
    /// Sets of flags of which a visitor meets at most one, each a table `[layers.NAME]`.
    #[schemars(extend("propertyNames" = scalars::name_schema()))]
    pub(crate) layers: Table<LayerTable>,
    /// Visitors who are in no experiment, so that all of them together can be compared with none.
    pub(crate) holdout: Option<HoldoutTable>,
}

/// A flag: a named choice. With none of the keys it is on for everybody.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Flag")]
pub(crate) struct FlagTable {
    /// What it is for, in a sentence.
    pub(crate) description: Option<String>,
    /// The owner: a person or a team.
    pub(crate) owner: Option<String>,
    /// The issue or ticket in which it was decided.
    pub(crate) ticket: Option<String>,
    /// The day it was made, such as 2026-11-01.
    pub(crate) created: Option<Day>,
    /// The day it should be removed. It changes no decision; from then on it is reported.
    pub(crate) expires: Option<Day>,
    /// false: off for everybody, at once, whatever else is written. Default: true.
    pub(crate) enabled: Option<bool>,
    /// The percentage of visitors who get it, 0 to 100, at most three decimals. Default: 100, or 0 when `allow` or a rule names someone.
    pub(crate) percent: Option<Share>,
    /// What the flag can be, with weights that make 100; the first is the control. Default: off and on.
    pub(crate) variants: Option<Weights>,
    /// What is hashed together with the visitor's id. Default: the flag's name. Keep it when the flag gets a new name.
    pub(crate) salt: Option<String>,
    /// The formula by which visitors are drawn, such as { as = "unleash" }: that of the system the flag comes from. Default: sha256.
    pub(crate) hash: Option<HashTable>,
    /// Which id is hashed: visitor, user, session, request, header.NAME or cookie.NAME. Default: visitor.
    pub(crate) bucket_by: Option<Unit>,
    /// How long a visitor keeps a variant when the share falls. Default: session where there are goals, else none.
    pub(crate) sticky: Option<Remembered>,
    /// The layer it shares with flags it excludes.
    pub(crate) layer: Option<Named>,
    /// Flags that must not be off: a list, or a table of flag and variant.
    pub(crate) requires: Option<Needs>,
    /// People for whom it is on, whatever the percentage.
    pub(crate) allow: Option<PeopleTable>,
    /// People for whom it is off, whatever else is written.
    pub(crate) deny: Option<PeopleTable>,
    /// Rules; the first that matches wins.
    pub(crate) rules: Vec<RuleTable>,
    /// A share that rises in steps; instead of `percent`.
    pub(crate) rollout: Option<RolloutTable>,
    /// What watches the flag and rolls it back when it does harm.
    pub(crate) guard: Option<GuardTable>,
    /// Paths that Flagstaff itself answers while the flag is off: a kill switch in front of the app.
    pub(crate) gate: Option<GateTable>,
    /// Other upstreams for visitors of a variant, such as { on = "127.0.0.1:8001" }.
    pub(crate) upstream: Table<Address>,
    /// The goals that are counted; the first one decides.
    pub(crate) goals: Vec<Named>,
    /// Requests on which a visitor is exposed to it, such as ["GET /contact*"]. Default: every page.
    pub(crate) exposed_on: Vec<Requests>,
    /// true: browsers may see it. Default: false.
    pub(crate) client: Option<bool>,
    /// true: a request may force it, by query, cookie or header. Default: false.
    pub(crate) testing: Option<bool>,
    /// Anything else worth keeping with it.
    pub(crate) metadata: Table<Meaning>,
    /// What django-waffle calls it, such as "courseware.search-v2". Default: the flag's name.
    pub(crate) waffle_name: Option<String>,
    /// The last day on which a visitor keeps the side that django-waffle's cookie says, such as 2026-12-31. Needs sticky = "visitor".
    pub(crate) waffle_cookie_until: Option<Day>,
    /// What a variant means to code that asks for a value. Default: true and false for off and on, else the variant's name.
    pub(crate) values: Table<Meaning>,
}

/// How long an assignment is remembered.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Remembered {
    /// Not at all: the draw alone decides.
    None,
    /// As long as the browser session.
    Session,
    /// As long as the visitor's cookie.
    Visitor,
}

/// People named one by one or by what they are; one match is enough.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "People")]
pub(crate) struct PeopleTable {
    /// Ids of users, as the app knows them.
    pub(crate) users: Vec<String>,
    /// Groups of users.
    pub(crate) groups: Vec<String>,
    /// Roles of users.
    pub(crate) roles: Vec<String>,
    /// true: every user who is logged in.
    pub(crate) authenticated: bool,
    /// Languages the visitor prefers; "de" takes "de-AT" too.
    pub(crate) languages: Vec<String>,
    /// Segments of this file.
    pub(crate) segments: Vec<Named>,
}

/// A rule: conditions, and what people get for whom they hold. It has `serve`, or `percent`, `variants` or both.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Rule")]
pub(crate) struct RuleTable {
    /// The conditions; all must hold. Default: everybody.
    pub(crate) r#if: When,
    /// The variant they get.
    pub(crate) serve: Option<String>,
    /// The share of them who get the flag.
    pub(crate) percent: Option<Share>,
    /// Weights of the flag's variants for them, which make 100. Default: the flag's weights.
    pub(crate) variants: Option<Weights>,
    /// The formula by which they are drawn. Default: the flag's.
    pub(crate) hash: Option<HashTable>,
    /// What those get whom `percent` leaves out. Default: "control".
    pub(crate) otherwise: Option<LeftOut>,
}

/// What those get who match a rule, and whom its share leaves out.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LeftOut {
    /// Off, or the first variant.
    Control,
    /// What the next rule that matches says, and after the last one what everybody else gets.
    Next,
}

/// A share that rises in steps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Rollout")]
pub(crate) struct RolloutTable {
    /// When it starts, such as 2026-11-20T09:00:00Z; nobody is in before. Default: at once.
    pub(crate) start: Option<PointInTime>,
    /// The steps; each above the one before.
    pub(crate) steps: Vec<StepTable>,
}

/// One stage of a rollout.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Step")]
pub(crate) struct StepTable {
    /// The share of visitors who are in.
    pub(crate) percent: Option<Share>,
    /// How long it stays at least, such as "30m", or "approval" to wait for a person. The last step needs none.
    pub(crate) hold: Option<Stay>,
    /// How many visitors with the flag must have been seen before it goes on.
    pub(crate) min_visitors: Option<u64>,
}

/// What watches a flag, compared with visitors who do not have it, at the same time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Guard")]
pub(crate) struct GuardTable {
    /// Answers that count as errors, such as "5xx".
    pub(crate) errors: Option<Codes>,
    /// Answers slower than this count as slow, such as "800ms"; "p95" is the 95th percentile of those without the flag.
    pub(crate) slower_than: Option<Slower>,
    /// Goals that must not fall.
    pub(crate) goals: Vec<Named>,
    /// The chance that it trips without a reason, over the whole rollout; above 0, at most 0.1. Default: 0.001.
    pub(crate) false_alarm: Option<Chance>,
    /// This many visitors in a row with only errors trip it at once, while visitors without the flag have almost none. It is outside the
    /// chance of a false alarm. 3 to 1000. Default: none.
    pub(crate) fuse: Option<Fuse>,
    /// What happens when it trips: "off" rolls the flag back, "hold" stops the rollout where it is. Default: off.
    pub(crate) on_trip: Option<Tripped>,
    /// true: it reports what it sees and does nothing. Default: false.
    pub(crate) observe: bool,
    /// This many visitors with a first error, a first slow answer or a first goal count of one network (/24, /48) that brings less than
    /// a tenth of the flag's visitors; 0: no limit. Default: 2.
    pub(crate) network_signs: Option<FewSigns>,
    /// It trips when the upstream of a variant has given no answer for this long, while the app answered in its place.
    /// Default: 30s.
    pub(crate) upstream_away: Option<Length>,
}

/// What happens when a guard trips.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tripped {
    /// The flag is rolled back.
    Off,
    /// The rollout stays where it is.
    Hold,
}

/// Paths that Flagstaff itself answers while the flag is off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Gate")]
pub(crate) struct GateTable {
    /// Which paths, such as ["/pay/*"].
    pub(crate) paths: Vec<Paths>,
    /// What they answer: a status with a body, or a redirect.
    pub(crate) when_off: Option<ClosedTable>,
}

/// What a closed gate answers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Answer")]
pub(crate) struct ClosedTable {
    /// 200, or 400 to 599. Default: 503.
    #[schemars(range(min = 200, max = 599))]
    pub(crate) status: Option<u16>,
    /// The text of the page. Default: none.
    pub(crate) body: Option<String>,
    /// A path or an address to go to instead.
    pub(crate) redirect: Option<Target>,
}

/// A goal that can be counted. It has one of `on`, `event` and `bounce_after`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Goal")]
pub(crate) struct GoalTable {
    /// What it means, in a sentence.
    pub(crate) description: Option<String>,
    /// Reached by a request, such as "POST /contact".
    pub(crate) on: Option<Requests>,
    /// With `on`: which answers count. Default: "2xx,3xx".
    pub(crate) status: Option<Codes>,
    /// Reached by an event that the app or the page sends.
    pub(crate) event: Option<String>,
    /// With `event`: "count" visitors who sent it, or "sum" its values. Default: count.
    pub(crate) value: Option<Measured>,
    /// With `event`: where it must come from: the "app", the "page" (anybody can send what a page sends), or "both". Default: app.
    pub(crate) from: Option<SaidBy>,
    /// With `value = "sum"`: a larger value of one event counts as this much. Above 0, at most 10^12.
    pub(crate) at_most: Option<f64>,
    /// No second page within this time after an exposure.
    pub(crate) bounce_after: Option<Length>,
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SaidBy {
    /// The app, with `X-Flag-Event` in its answer.
    App,
    /// The page, with `flagstaff.track()`. Anybody can send what a page sends.
    Page,
    /// The app and the page.
    Both,
}

/// What is measured of an event.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Measured {
    /// How many visitors sent it.
    Count,
    /// The sum of its values per visitor.
    Sum,
}

/// A group of people with a name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Segment")]
pub(crate) struct SegmentTable {
    /// What it is, in a sentence.
    pub(crate) description: Option<String>,
    /// Tables of conditions; one of them must hold.
    pub(crate) any: Vec<When>,
}

/// A set of flags of which a visitor meets at most one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Layer")]
pub(crate) struct LayerTable {
    /// What they have in common, in a sentence.
    pub(crate) description: Option<String>,
    /// Which flag has which part, from and to in percent: { a = [0, 50], b = [50, 100] }.
    pub(crate) slices: Table<Bounds>,
    /// The formula of its draw, such as { as = "growthbook", seed = "__pricing" }. Default: sha256.
    pub(crate) hash: Option<HashTable>,
}

/// Visitors who get the control of every experiment: of every flag that has goals and draws.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Holdout", extend("required" = ["percent"]))]
pub(crate) struct HoldoutTable {
    /// What it is for, in a sentence.
    pub(crate) description: Option<String>,
    /// The share of visitors who are held out, 0 to 100, at most three decimals.
    pub(crate) percent: Option<Share>,
    /// What is hashed together with the visitor's id. Default: holdout. Another one releases those held out and holds out others.
    pub(crate) salt: Option<String>,
}

/// The JSON Schema of the flag file, made from the types that read it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    tidy(&mut schema);
    schema
}

/// Takes out what TOML does not know: a key that is there has a value, so nothing is null, and no default is.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("default");
            if let Some(Value::Array(kinds)) = map.get_mut("type") {
                kinds.retain(|kind| kind != "null");
                if let [kind] = kinds.as_slice() {
                    let kind = kind.clone();
                    map.insert("type".into(), kind);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|one| *one != serde_json::json!({ "type": "null" }));
                if let [Value::Object(one)] = any.as_mut_slice() {
                    let one = std::mem::take(one);
                    map.remove("anyOf");
                    one.into_iter().for_each(|(key, value)| {
                        map.entry(key).or_insert(value);
                    });
                }
            }
            map.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        _ => {}
    }
}
