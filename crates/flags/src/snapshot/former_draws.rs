//! Where an id falls for each flag, kept for when its visitor gets another id.

use crate::hashing::DrawnWith;
use crate::{BucketBy, ExclusionLayer, Flag, FlagId, FormerDraw, Percent, Rule, Serve, Snapshot};

impl Snapshot {
    /// Where a visitor and a session fall for every flag and layer that draws by them, in the order of the file. Flags that are the
    /// same for everybody are left out.
    #[must_use]
    pub fn draws(&self, visitor: &str, session: Option<&str>) -> Vec<FormerDraw> {
        let unit = |_, flag: &Flag| match flag.bucket_by {
            BucketBy::Visitor => Some(visitor),
            BucketBy::Session => session,
            _ => None,
        };
        self.draws_of(unit, is_drawn)
    }

    /// Where units fall for every flag and its layer, also of a flag that is the same for everybody now. `unit` is asked for the unit
    /// that a flag draws by.
    pub fn draws_of_all<'a>(&self, unit: impl Fn(FlagId) -> Option<&'a str>) -> Vec<FormerDraw> {
        self.draws_of(|id, _| unit(id), |_| true)
    }

    fn draws_of<'a>(
        &self,
        unit: impl Fn(FlagId, &Flag) -> Option<&'a str>,
        wanted: impl Fn(&Flag) -> bool,
    ) -> Vec<FormerDraw> {
        let mut all: Vec<FormerDraw> = Vec::new();
        for (id, flag) in self.ids().zip(self.flags()).filter(|(_, flag)| wanted(flag)) {
            let (Some(unit), Some(by)) = (unit(id, flag), flag.bucket_by.drawn_by()) else { continue };
            for with in self.all_drawn_with(flag) {
                let former = FormerDraw::new(with.kept_as(), by, with.draw(unit));
                if !all.iter().any(|one| one.is_like(&former)) {
                    all.push(former);
                }
            }
        }
        all
    }

    /// What a flag draws with: in its layer, by itself, and by rules with a formula of their own.
    fn all_drawn_with<'a>(&'a self, flag: &'a Flag) -> impl Iterator<Item = DrawnWith<'a>> {
        let layers = self.layers.iter().filter(|layer| flag.layer.as_ref() == Some(&layer.name));
        let own = |rule: &&Rule| rule.hash.is_some() && matches!(rule.serve, Serve::Percent(_));
        let rules = flag.rules.iter().filter(own).map(|rule| flag.rule_drawn_with(rule));
        layers.map(ExclusionLayer::drawn_with).chain([flag.drawn_with()]).chain(rules)
    }
}

/// Whether anything of it hangs on a draw, now or at a later step of its rollout.
fn is_drawn(flag: &Flag) -> bool {
    let share = flag.share_of_the_rest();
    let by_rule = |serve: &Serve| matches!(serve, Serve::Percent(_));
    flag.variants.are_named()
        || flag.layer.is_some()
        || flag.rollout.is_some()
        || flag.rules.iter().any(|rule| by_rule(&rule.serve))
        || (share != Percent::ZERO && share != Percent::ALL)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::{DecisionStep, Name, Slice, Subject};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn percent(value: f64) -> Percent {
        Percent::new(value).unwrap()
    }

    fn snapshot(share: f64) -> Arc<Snapshot> {
        let half = Flag { percent: Some(percent(share)), ..Flag::new(name("half")) };
        let by_session = Flag { bucket_by: BucketBy::Session, ..Flag { name: name("by_session"), ..half.clone() } };
        let by_user = Flag { bucket_by: BucketBy::User, ..Flag { name: name("by_user"), ..half.clone() } };
        let layered = Flag { layer: Some(name("shelf")), ..Flag::new(name("layered")) };
        let slice = Slice { flag: name("layered"), from: percent(0.0), to: percent(50.0) };
        let shelf = ExclusionLayer::new(name("shelf"), vec![slice]);
        let flags = vec![half, by_session, by_user, layered, Flag::new(name("everybody"))];
        Arc::new(Snapshot::new("r", flags, vec![], vec![], vec![shelf]).unwrap())
    }

    fn subject<'a>(visitor: &'a str, session: &'a str, former_draws: &'a [FormerDraw]) -> Subject<'a> {
        Subject { session: Some(session), former_draws, ..Subject::at(Timestamp::UNIX_EPOCH).visitor(visitor) }
    }

    #[test]
    fn a_new_id_keeps_every_variant_of_the_old_one() {
        for n in 0..200 {
            let (old, session) = (format!("old-{n}"), format!("session-{n}"));
            let snapshot = snapshot(50.0);
            let before = snapshot.decide(&subject(&old, &session, &[]));
            let former = snapshot.draws(&old, Some(&session));
            let after = snapshot.decide(&subject("new", "other", &former));
            let variants = |all: &crate::Decisions| all.iter().map(|(.., one)| one.variant()).collect::<Vec<_>>();
            assert_eq!(variants(&after), variants(&before), "{n}");
            assert_eq!(former.len(), 4, "the layer, and each flag that draws by visitor or session");
        }
    }

    #[test]
    fn a_raised_share_takes_in_whom_the_old_id_would_have_let_in() {
        let former = snapshot(20.0).draws("old", Some("s"));
        for share in [20.0, 30.0, 70.0, 99.0] {
            let of =
                |visitor, session, former| snapshot(share).decide(&subject(visitor, session, former)).is_on("half");
            assert_eq!(of("new", "t", &former[..]), of("old", "s", &[]), "{share}");
        }
    }

    #[test]
    fn such_a_decision_is_remembered_not_drawn() {
        let former = snapshot(50.0).draws("old", None);
        let snapshot = snapshot(50.0);
        let decisions = snapshot.decide(&subject("new", "s", &former));
        let step = |flag| decisions.of(snapshot.find(flag).unwrap()).step();
        assert_eq!(
            (step("half"), step("by_session"), step("everybody")),
            (DecisionStep::Sticky, DecisionStep::Percent, DecisionStep::Percent)
        );
    }

    #[test]
    fn parts_come_back_unless_they_are_not_valid() {
        let former = snapshot(50.0).draws("old", Some("s"));
        for one in former {
            assert_eq!(FormerDraw::of_parts(one.is_by_session(), one.parts()), Some(one));
        }
        assert!(FormerDraw::of_parts(false, [1, 100_000, 0]).is_none());
        assert!(FormerDraw::of_parts(false, [1, 0, 100_000]).is_none());
    }
}
